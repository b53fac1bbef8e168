import { unreachable } from '../../domain/errors.ts';
import { CHAPTERS } from './catalogue.ts';
import type { Endpoint } from './endpoint.ts';

/** Where the table stands in `docs/gateway.md`. */
export const TABLE_BEGINS = '<!-- What follows is made by `npm run docs`. -->';

const HEAD = ['operation', 'request', 'needs', 'rooms and users', 'asked of the homeserver', 'shown', 'why'];

/** All that is decided, as Markdown: a table for each chapter of the catalogue. */
export function decisionsInMarkdown(): string {
  const chapters = CHAPTERS.map(([title, lines]) => {
    const rows = [HEAD, HEAD.map(() => '---'), ...lines.map(rowOf)].map(
      (cells) => `| ${cells.join(' | ')} |`,
    );
    return `### ${title}\n\n${rows.join('\n')}\n`;
  });
  return chapters.join('\n');
}

function rowOf(line: Endpoint): string[] {
  const names = [line.id, ...(line.also ?? [])].join(', ');
  return [
    names + (line.source === undefined ? '' : ` (${SOURCES[line.source]})`),
    requestsOf(line),
    needsOf(line),
    judgedBy(line),
    askedOf(line),
    shownOf(line),
    line.why,
  ].map(cell);
}

const SOURCES = { unstable: 'draft', synapse: 'Synapse', ours: 'Mintwarden', family: 'branch' } as const;

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function requestsOf(line: Endpoint): string {
  const methods = line.methods === 'any' ? 'any method' : line.methods.join(', ');
  const also =
    line.aliases === undefined || line.aliases.length === 0
      ? ''
      : `; also ${line.aliases.map(code).join(', ')}`;
  return `${methods} ${line.paths.map(code).join(', ')}${also}`;
}

function code(path: string): string {
  return `\`${path.replace('/_matrix/client/{v}/', '…/')}\``;
}

function needsOf(line: Endpoint): string {
  if (line.kind === 'notice' || line.kind === 'open') return 'no token';
  if (line.needs === 'holder') return 'any token';
  if (line.kind === 'refused')
    return line.needs === 'never'
      ? line.unserved === true
        ? '**not served**'
        : '**never**'
      : `\`${line.needs}\`, not served yet`;
  const read =
    line.byType === undefined
      ? []
      : line.byType === 'filtered'
        ? ['of any type']
        : [`or ${line.byType.map((type) => `\`read:${type}\``).join(' and ')}`];
  return [`\`${line.needs}\``, ...read, ...(line.device === true ? ['and a device'] : [])].join(', ');
}

function judgedBy(line: Endpoint): string {
  if (line.kind === 'notice' || line.kind === 'open') return '';
  if (line.kind === 'refused') return line.room ?? '';
  if (line.kind === 'media') return line.opens;
  const room =
    line.room === 'path' ? ['a room in scope'] : line.room === 'answer' ? ['filtered in the answer'] : [];
  const self = line.user === 'self' ? ['the subject alone'] : [];
  const met =
    line.kind === 'forward' && line.requiresSharedRoom === true
      ? ['the subject and members of rooms in scope']
      : [];
  return [...room, ...self, ...met].join(', ');
}

function askedOf(line: Endpoint): string {
  switch (line.kind) {
    case 'notice':
    case 'local':
    case 'deed':
      return 'nothing: answered here';
    case 'open':
      return `GET ${code(line.to)}, for everybody at once`;
    case 'forward': {
      const names = Object.keys(line.query ?? {}).map((name) => `\`${name}\``);
      const query = names.length === 0 ? [] : [names.join(', ')];
      return [`GET ${code(line.to)}`, ...query, ...(line.asked === undefined ? [] : [line.asked])].join('; ');
    }
    case 'poll':
    case 'media':
    case 'steps':
    case 'write':
      return line.asked ?? '';
    case 'refused':
      return line.asked ?? 'nothing';
    default:
      return unreachable(line);
  }
}

function shownOf(line: Endpoint): string {
  return (
    line.shown ??
    (line.kind === 'refused'
      ? 'nothing'
      : line.kind === 'local' || line.kind === 'notice'
        ? 'what is made here'
        : '')
  );
}
