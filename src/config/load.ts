import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { MintwardenError } from '../domain/errors.ts';
import type { AccountConfig, Config } from './config.ts';
import { contradictions } from './contradictions.ts';
import { overridesFrom, type Override } from './environment.ts';
import { explain, type Problem } from './explain.ts';
import { fileSchema, type FileContent } from './schema.ts';
import { isOpenToAll, readSecretFile, whyUnreadable } from './secret-file.ts';
import { parseYaml, type YamlFile } from './yaml-file.ts';

const NEXT = 'Correct it, then run mintwarden doctor. Every key is explained in bot.example.yaml.';

/**
 * Reads the configuration: the file, what the environment overrides (`MINTWARDEN_GATEWAY_PUBLIC_URL` is
 * `gateway.public_url`), the files with secrets. Paths in it are relative to the file.
 * @throws MintwardenError `configuration` that names every problem found, with its line
 */
export async function loadConfig(path: string, env: Readonly<Record<string, string | undefined>>): Promise<Config> {
  const file = resolve(path);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new MintwardenError(
      'configuration',
      `The configuration ${file} ${whyUnreadable(error)}`,
      'Run mintwarden init, or name another file with --config.',
    );
  });
  const yaml = parseYaml(text, basename(file));
  const { overrides, problems } = overridesFrom(env);
  stopAt([...yaml.problems, ...problems]);

  const value = merged(yaml.value, overrides);
  const where = locator(yaml, overrides, basename(file));
  const checked = fileSchema.safeParse(value);
  if (!checked.success) {
    stopAt(checked.error.issues.flatMap((issue) => explain(issue, value)).map(where));
    throw new MintwardenError('configuration', `${file} is no configuration.`, NEXT);
  }
  const content = checked.data;
  stopAt(contradictions(content).map(where));

  const folder = dirname(file);
  const secrets: Problem[] = [];
  const bot = await account('bot', content.bot, folder, secrets);
  const issuer = await account('issuer', content.issuer, folder, secrets);
  const inFile = yamlHasSecret(yaml.value);
  if (inFile && isOpenToAll((await stat(file)).mode)) {
    secrets.push({
      path: [],
      sentence: `The configuration holds a secret and can be read by every user of this machine. Run: chmod 600 '${file}'`,
    });
  }
  stopAt(secrets.map(where));
  return assemble(content, {
    file,
    bot: bot.account,
    issuer: issuer.account,
    files: [...bot.files, ...issuer.files, ...(inFile ? [file] : [])],
  });
}

function stopAt(sentences: readonly string[]): void {
  if (sentences.length === 0) return;
  const count = sentences.length === 1 ? 'a problem' : `${String(sentences.length)} problems`;
  throw new MintwardenError(
    'configuration',
    `The configuration has ${count}:\n${sentences.map((sentence) => `  ${sentence}`).join('\n')}`,
    NEXT,
  );
}

/** What would be wrong with a configuration of this content, secrets aside: for one that is about to be written. */
export function problemsOf(value: unknown): readonly string[] {
  const checked = fileSchema.safeParse(value);
  const found = checked.success ? contradictions(checked.data) : checked.error.issues.flatMap((issue) => explain(issue, value));
  return found.map(({ sentence }) => sentence);
}

/** Where a problem stands: the file's line, or the variable it came from. */
function locator(yaml: YamlFile, overrides: readonly Override[], name: string): (problem: Problem) => string {
  return ({ path, sentence }) => {
    const override = overrides.find(({ key }) => key.path.every((part, index) => path[index] === part));
    if (override !== undefined) return `${override.variable}: ${sentence}`;
    const line = yaml.lineOf(path);
    return line === null ? `${name}: ${sentence}` : `${name}:${String(line)}: ${sentence}`;
  };
}

/** The environment wins; a secret from it also replaces the other form of the same secret in the file. */
function merged(value: unknown, overrides: readonly Override[]): unknown {
  if (value !== null && (typeof value !== 'object' || Array.isArray(value))) return value;
  const root: Record<string, unknown> = structuredClone({ ...value });
  for (const { key, value: given } of overrides) {
    const [first = '', second] = key.path;
    if (second === undefined) {
      root[first] = given;
      continue;
    }
    const section = root[first] ?? {};
    if (typeof section !== 'object' || Array.isArray(section)) continue;
    const other = second.endsWith('_file') ? second.slice(0, -'_file'.length) : `${second}_file`;
    const { [other]: replaced, ...rest } = section as Record<string, unknown>;
    const isAlsoGiven = overrides.some((override) => override.key.path[0] === first && override.key.path[1] === other);
    root[first] = { ...rest, ...(isAlsoGiven && replaced !== undefined ? { [other]: replaced } : {}), [second]: given };
  }
  return root;
}

async function account(
  name: 'bot' | 'issuer',
  content: FileContent['bot'],
  folder: string,
  problems: Problem[],
): Promise<{ account: AccountConfig; files: string[] }> {
  const files: string[] = [];
  const read = async (key: 'access_token' | 'password'): Promise<string | null> => {
    const path = content[`${key}_file`];
    if (path === undefined) return content[key] ?? null;
    const file = resolve(folder, path);
    files.push(file);
    const result = await readSecretFile(file);
    if ('secret' in result) return result.secret;
    problems.push({ path: [name, `${key}_file`], sentence: `${name}.${key}_file: ${result.problem}` });
    return null;
  };
  const accessToken = await read('access_token');
  const password = await read('password');
  const secrets = { access_token: accessToken ?? '', ...(password === null ? {} : { password }) };
  return { account: { user_id: content.user_id, ...secrets }, files };
}

function yamlHasSecret(value: unknown): boolean {
  const root = (value ?? {}) as Record<string, Record<string, unknown> | undefined>;
  return ['bot', 'issuer'].some((name) => root[name]?.['access_token'] !== undefined || root[name]?.['password'] !== undefined);
}

function assemble(
  content: FileContent,
  read: { readonly file: string; readonly bot: AccountConfig; readonly issuer: AccountConfig; readonly files: readonly string[] },
): Config {
  const folder = dirname(read.file);
  return {
    ...content,
    file: read.file,
    homeserver: { ...content.homeserver, url: content.homeserver.url.replace(/\/+$/, '') },
    bot: read.bot,
    issuer: { ...read.issuer, kind: content.issuer.kind },
    gateway: { listen: addressOf(content.gateway.listen), public_url: new URL(content.gateway.public_url).origin },
    state_dir: resolve(folder, content.state_dir),
    sealing_key_file: resolve(folder, content.sealing_key_file),
    secret_files: read.files,
  };
}

function addressOf(listen: string): { host: string; port: number } {
  const colon = listen.lastIndexOf(':');
  return { host: listen.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(listen.slice(colon + 1)) };
}
