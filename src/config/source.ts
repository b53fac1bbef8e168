import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { MintwardenError } from '../domain/errors.ts';
import { crossCheck } from './cross-checks.ts';
import { readOverrides, type Override } from './environment.ts';
import { explainIssue, type Problem } from './explain-issue.ts';
import { fileSchema, type FileContent } from './schema.ts';
import { whyUnreadable } from './secret-file.ts';
import { parseYaml, type YamlFile } from './yaml-file.ts';

const NEXT = 'Correct it, then run mintwarden doctor. Every key is explained in bot.example.yaml.';

/** A configuration as it was written, checked, before the files with secrets are read. */
export type ConfigSource = {
  /** Absolute. */
  readonly file: string;
  readonly content: FileContent;
  readonly yaml: YamlFile;
  readonly overrides: readonly Override[];
  /** What the file and the environment say together, not checked: its keys are those that are set. */
  readonly value: unknown;
  /** A problem with where it stands before it: the file and line, or the variable. */
  readonly where: (problem: Problem) => string;
};

/**
 * Reads the file and what the environment overrides.
 * @throws MintwardenError `configuration` that names every problem found, with its line
 */
export async function readConfigSource(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ConfigSource> {
  const file = resolve(path);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new MintwardenError(
      'configuration',
      `The configuration ${file} ${whyUnreadable(error)}`,
      'Run mintwarden init, or name another file with --config.',
    );
  });
  const yaml = parseYaml(text, basename(file));
  const { overrides, problems } = readOverrides(env);
  throwProblems([...yaml.problems, ...problems]);

  const value = mergeOverrides(yaml.value, overrides);
  const where = createLocator(yaml, overrides, basename(file));
  const checked = fileSchema.safeParse(value);
  if (!checked.success) {
    throwProblems(checked.error.issues.flatMap((issue) => explainIssue(issue, value)).map(where));
    throw new MintwardenError('configuration', `${file} is no configuration.`, NEXT);
  }
  throwProblems(crossCheck(checked.data).map(where));
  return { file, content: checked.data, yaml, overrides, value, where };
}

/** @throws MintwardenError `configuration`, where there is anything to say */
export function throwProblems(sentences: readonly string[]): void {
  if (sentences.length === 0) return;
  const count = sentences.length === 1 ? 'a problem' : `${String(sentences.length)} problems`;
  throw new MintwardenError(
    'configuration',
    `The configuration has ${count}:\n${sentences.map((sentence) => `  ${sentence}`).join('\n')}`,
    NEXT,
  );
}

/** Where a problem stands: the file's line, or the variable it came from. */
function createLocator(
  yaml: YamlFile,
  overrides: readonly Override[],
  name: string,
): (problem: Problem) => string {
  return ({ path, sentence }) => {
    const override = overrides.find(({ key }) => key.path.every((part, index) => path[index] === part));
    if (override !== undefined) return `${override.variable}: ${sentence}`;
    const line = yaml.lineOf(path);
    return line === null ? `${name}: ${sentence}` : `${name}:${String(line)}: ${sentence}`;
  };
}

/** The environment wins; a secret from it also replaces the other form of the same secret in the file. */
function mergeOverrides(value: unknown, overrides: readonly Override[]): unknown {
  if (value !== null && (typeof value !== 'object' || Array.isArray(value))) return value;
  const root: Record<string, unknown> = structuredClone({ ...value });
  for (const { key, value: given } of overrides) {
    const section = sectionOf(root, key.path.slice(0, -1));
    const name = key.path.at(-1) ?? '';
    if (section === null) continue;
    const other = name.endsWith('_file') ? name.slice(0, -'_file'.length) : `${name}_file`;
    const otherPath = [...key.path.slice(0, -1), other].join('.');
    if (!overrides.some((override) => override.key.path.join('.') === otherPath)) delete section[other];
    section[name] = given;
  }
  return root;
}

/** The section at a path, made where it is not there; null: what is there is none. */
function sectionOf(root: Record<string, unknown>, path: readonly string[]): Record<string, unknown> | null {
  let section = root;
  for (const part of path) {
    const inner = (section[part] ??= {});
    if (typeof inner !== 'object' || Array.isArray(inner)) return null;
    section = inner as Record<string, unknown>;
  }
  return section;
}
