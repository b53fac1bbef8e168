import { MintwardenError } from './errors.ts';
import { isPattern, matchesPattern } from './wildcard.ts';

/**
 * One line of the endpoint firewall: `GET /_matrix/client/v3/sync`, or `* …` for every method. A segment may
 * end in `*`; a last segment `**` is anything below, and the path itself. Segments are compared decoded
 * once. `v3`, `r0`, `v1` and `unstable` in the place of the version are one and the same, as they are at
 * the gateway: a rule cannot be passed under another name of the same operation.
 */
export type EndpointRule = { readonly verdict: 'allow' | 'deny'; readonly on: string };

/** A method and a path, encoded, under which an operation is served. */
export type OperationName = { readonly method: string; readonly path: string };

const METHODS = ['GET', 'PUT', 'POST', 'DELETE', '*'];
const VERSIONS = ['v3', 'r0', 'v1', 'unstable'];
const VERSION = /^\/_matrix\/(client|media)\/(?:v3|r0|v1|unstable)(?=\/|$)/;

/** Segments, decoded once, the version set aside, one slash at the end forgiven. Null: it cannot be read. */
function segmentsOf(path: string): readonly string[] | null {
  if (!path.startsWith('/')) return null;
  const raw = path.replace(VERSION, '/_matrix/$1/v').slice(1).split('/');
  if (raw.length > 1 && raw.at(-1) === '') raw.pop();
  try {
    return raw.map(decodeURIComponent);
  } catch {
    return null;
  }
}

/**
 * A rule's method and path in their one spelling.
 * @throws MintwardenError `usage`
 */
export function parseEndpoint(text: string): string {
  const [, method = '*', path = ''] = /^(?:([A-Za-z]+|\*)[\s:]+)?(\/.*)$/s.exec(text.trim()) ?? [];
  const upper = method.toUpperCase();
  const segments = segmentsOf(path);
  const isRight =
    segments !== null &&
    METHODS.includes(upper) &&
    !/[\p{C}\p{Z}?#,\\]/u.test(path) &&
    segments.every(
      (segment, index) => isPattern(segment) || (segment === '**' && index === segments.length - 1),
    ) &&
    !segments.some((segment) => segment === '.' || segment === '..');
  if (isRight && path.length <= 1_000) return `${upper} ${path}`;
  throw new MintwardenError(
    'usage',
    `“${text.slice(0, 100)}” is no endpoint.`,
    'Write for example `"PUT /_matrix/client/v3/rooms/*/send/**"`: a method (or none, for all), and a path.',
  );
}

/**
 * A rule's segments. The version may be the beginning of a name, `v*`: then it is every version, as one of
 * them would be.
 */
function patternOf(path: string): readonly string[] {
  const segments = segmentsOf(path) ?? [];
  const [root, api, version] = segments;
  const isWildVersion =
    root === '_matrix' &&
    (api === 'client' || api === 'media') &&
    VERSIONS.some((name) => matchesPattern(version ?? '', name));
  return isWildVersion ? segments.with(2, '*') : segments;
}

/** Whether a request is one the rule speaks of. HEAD is a GET. A path that cannot be read is none. */
function ruleMeans(rule: EndpointRule, method: string, segments: readonly string[]): boolean {
  const space = rule.on.indexOf(' ');
  const wanted = rule.on.slice(0, space);
  const asked = method.toUpperCase();
  if (wanted !== '*' && wanted !== (asked === 'HEAD' ? 'GET' : asked)) return false;
  const pattern = patternOf(rule.on.slice(space + 1));
  const isOpen = pattern.at(-1) === '**';
  const fixed = isOpen ? pattern.slice(0, -1) : pattern;
  if (isOpen ? segments.length < fixed.length : segments.length !== fixed.length) return false;
  return fixed.every((each, index) => matchesPattern(each, segments[index] ?? ''));
}

/**
 * What a list of rules says of a request: the first that speaks of it decides. Where none does, a list that
 * allows something denies the rest, and a list that only denies lets the rest be. An empty list denies
 * nothing.
 * @param path as it came, encoded, without query; one that cannot be read is denied
 * @param otherNames further names of the same operation: a rule that speaks of one of them speaks of them all
 */
export function listVerdict(
  rules: readonly EndpointRule[],
  method: string,
  path: string,
  otherNames: readonly OperationName[] = [],
): 'allow' | 'deny' {
  const names = [{ method, path }, ...otherNames].map((name) => ({
    method: name.method,
    segments: segmentsOf(name.path),
  }));
  if (names.some(({ segments }) => segments === null)) return 'deny';
  const first = rules.find((rule) =>
    names.some((name) => name.segments !== null && ruleMeans(rule, name.method, name.segments)),
  );
  if (first !== undefined) return first.verdict;
  return rules.some((rule) => rule.verdict === 'allow') ? 'deny' : 'allow';
}

/** What `--allow` and `--deny` together mean: a denial always wins. Null: nothing was said. */
export function firewall(allow: readonly string[], deny: readonly string[]): readonly EndpointRule[] | null {
  const rules = [
    ...deny.map((on): EndpointRule => ({ verdict: 'deny', on })),
    ...allow.map((on): EndpointRule => ({ verdict: 'allow', on })),
  ];
  return rules.length === 0 ? null : rules;
}
