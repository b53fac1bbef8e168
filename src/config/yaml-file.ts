import { isMap, isPair, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';

/** A configuration file as read: its plain value, and where things stand in it. */
export type YamlFile = {
  readonly value: unknown;
  /** The line of a key (from 1); of its nearest parent where it is not there; null in an empty file. */
  lineOf(path: readonly PropertyKey[]): number | null;
  readonly problems: readonly string[];
};

/** Parses YAML. Problems are sentences that begin with `file:line:`. */
export function parseYaml(text: string, name: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number): number => lines.linePos(offset).line;
  // The first complaint of a line: one slip makes the parser stumble several times.
  const complaints = new Map<number, string>();
  for (const problem of [...document.errors, ...document.warnings]) {
    const line = at(problem.pos[0]);
    if (complaints.has(line)) continue;
    complaints.set(line, describeError(problem.code, problem.message, text.split('\n')[line - 1] ?? ''));
  }
  const problems = [...complaints].map(([line, sentence]) => `${name}:${String(line)}: ${sentence}`);
  if (problems.length === 0)
    problems.push(...misreadRooms(document, (offset) => `${name}:${String(at(offset))}`));
  return {
    value: problems.length > 0 ? null : (document.toJS({ maxAliasCount: 50 }) as unknown),
    lineOf: (path) => lineOf(document, path, at),
    problems,
  };
}

function describeError(code: string, message: string, source: string): string {
  if (code === 'DUPLICATE_KEY') return 'This key stands here a second time.';
  if (/:\s+[!@]|-\s+[!@]/.test(source))
    return 'A value that begins with ! or @ must be put in quotes: "@you:example.org", "!room:example.org".';
  if (code === 'TAB_AS_INDENT') return 'YAML is indented by spaces, not by tabs.';
  // The parser's own words may quote the line, and the line may hold a secret.
  return `This is not valid YAML (${code.toLowerCase().replaceAll('_', ' ')}${/indent/i.test(message) ? '; look at the indentation' : ''}).`;
}

/** YAML takes an unquoted `!room…` for a tag, and says nothing where the tag has no value. */
function misreadRooms(document: Document, where: (offset: number) => string): string[] {
  const found: string[] = [];
  visit(document, (_key, node) => {
    if (isScalar(node) && node.tag !== undefined && node.tag.startsWith('!')) {
      found.push(
        `${where(node.range?.[0] ?? 0)}: A value that begins with ! must be put in quotes: "!room:example.org".`,
      );
    }
  });
  return found;
}

function lineOf(
  document: Document,
  path: readonly PropertyKey[],
  at: (offset: number) => number,
): number | null {
  let node: unknown = document.contents;
  let line: number | null = null;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(part),
      );
      const offset = pair !== undefined && isScalar(pair.key) ? pair.key.range?.[0] : undefined;
      if (offset === undefined) return line;
      line = at(offset);
      node = pair?.value;
    } else {
      const inner: unknown =
        typeof part === 'number' ? document.getIn(path.slice(0, path.indexOf(part) + 1), true) : undefined;
      const offset = isScalar(inner) ? inner.range?.[0] : undefined;
      return offset === undefined ? line : at(offset);
    }
  }
  return line;
}
