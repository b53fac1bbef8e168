import { unreachable } from '../../domain/errors.ts';
import { CHAPTERS } from './catalogue.ts';
import type { Endpoint } from '../request/endpoint.ts';

/** Where the table stands in `docs/gateway.md`. */
export const TABLE_BEGINS = '<!-- What follows is made by `npm run docs`. -->';

const HEAD = ['operation', 'request', 'needs', 'rooms and users', 'asked of the homeserver', 'shown', 'why'];

/** All that is decided, as Markdown: a table for each chapter of the catalogue. */
export function decisionsInMarkdown(): string {
  const chapters = CHAPTERS.map(([title, endpoints]) => {
    const rows = [HEAD, HEAD.map(() => '---'), ...endpoints.map(rowOf)].map(
      (cells) => `| ${cells.join(' | ')} |`,
    );
    return `### ${title}\n\n${rows.join('\n')}\n`;
  });
  return chapters.join('\n');
}

function rowOf(endpoint: Endpoint): string[] {
  const names = [endpoint.id, ...(endpoint.also ?? [])].join(', ');
  return [
    names + (endpoint.source === undefined ? '' : ` (${SOURCES[endpoint.source]})`),
    requestsOf(endpoint),
    needsOf(endpoint),
    judgedBy(endpoint),
    askedOf(endpoint),
    shownOf(endpoint),
    endpoint.why,
  ].map(cell);
}

const SOURCES = { unstable: 'draft', synapse: 'Synapse', ours: 'Mintwarden', family: 'branch' } as const;

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function requestsOf(endpoint: Endpoint): string {
  const methods = endpoint.methods === 'any' ? 'any method' : endpoint.methods.join(', ');
  const also =
    endpoint.aliases === undefined || endpoint.aliases.length === 0
      ? ''
      : `; also ${endpoint.aliases.map(code).join(', ')}`;
  return `${methods} ${endpoint.paths.map(code).join(', ')}${also}`;
}

function code(path: string): string {
  return `\`${path.replace('/_matrix/client/{v}/', '…/')}\``;
}

function needsOf(endpoint: Endpoint): string {
  if (endpoint.kind === 'static' || endpoint.kind === 'public') return 'no token';
  if (endpoint.needs === 'holder') return 'any token';
  if (endpoint.kind === 'refused')
    return endpoint.needs === 'never'
      ? endpoint.unserved === true
        ? '**not served**'
        : '**never**'
      : `\`${endpoint.needs}\`, not served yet`;
  const read =
    endpoint.byType === undefined
      ? []
      : endpoint.byType === 'filtered'
        ? ['of any type']
        : [`or ${endpoint.byType.map((type) => `\`read:${type}\``).join(' and ')}`];
  return [`\`${endpoint.needs}\``, ...read, ...(endpoint.device === true ? ['and a device'] : [])].join(', ');
}

function judgedBy(endpoint: Endpoint): string {
  if (endpoint.kind === 'static' || endpoint.kind === 'public') return '';
  if (endpoint.kind === 'refused') return endpoint.room ?? '';
  if (endpoint.kind === 'task' && endpoint.opens !== undefined) return endpoint.opens;
  const room =
    endpoint.room === 'path'
      ? ['a room in scope']
      : endpoint.room === 'answer'
        ? ['filtered in the answer']
        : [];
  const self = endpoint.user === 'self' ? ['only the subject'] : [];
  const met =
    endpoint.kind === 'forward' && endpoint.requiresSharedRoom === true
      ? ['the subject and members of rooms in scope']
      : [];
  return [...room, ...self, ...met].join(', ');
}

function askedOf(endpoint: Endpoint): string {
  switch (endpoint.kind) {
    case 'static':
    case 'local':
      return 'nothing: answered by the gateway';
    case 'public':
      return `GET ${code(endpoint.to)}, once for everyone`;
    case 'forward': {
      const names = Object.keys(endpoint.query ?? {}).map((name) => `\`${name}\``);
      const query = names.length === 0 ? [] : [names.join(', ')];
      return [
        `GET ${code(endpoint.to)}`,
        ...query,
        ...(endpoint.asked === undefined ? [] : [endpoint.asked]),
      ].join('; ');
    }
    case 'task':
      return endpoint.asked ?? (endpoint.does === 'token' ? 'nothing: answered by the gateway' : '');
    case 'refused':
      return endpoint.asked ?? 'nothing';
    default:
      return unreachable(endpoint);
  }
}

function shownOf(endpoint: Endpoint): string {
  return (
    endpoint.shown ??
    (endpoint.kind === 'refused'
      ? 'nothing'
      : endpoint.kind === 'local' || endpoint.kind === 'static'
        ? 'made by the gateway'
        : '')
  );
}
