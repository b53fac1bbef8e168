import { MintwardenError } from '../../domain/errors.ts';
import { type GatewayResponse, UNRECOGNIZED, WRONG_METHOD } from '../http/response.ts';
import { type Endpoint, VERSIONS } from './endpoint.ts';
import type { Segment } from '../http/target.ts';

/** The line a request falls under, and what its path says. */
export type Route = { readonly line: Endpoint; readonly params: Readonly<Record<string, string>> };

/** Finds the line of a method and a path; null where there is none. */
export type Router = (method: string, segments: readonly Segment[]) => Route | null;

type Leaf = { readonly line: Endpoint; readonly names: readonly string[] };
type Node = {
  readonly literals: Map<string, Node>;
  parameter: Node | null;
  readonly leaves: Map<string, Leaf>;
  readonly below: Map<string, Leaf>;
};

const node = (): Node => ({ literals: new Map(), parameter: null, leaves: new Map(), below: new Map() });

/**
 * A trie of segments. Literals are compared with what was sent, unencoded; they go before parameters, and
 * both before `**`. An empty segment matches only a literal one, at the end.
 * @throws MintwardenError `internal` where two lines claim the same method and path
 */
export function createRouter(lines: readonly Endpoint[]): Router {
  const root = node();
  for (const line of lines) for (const path of pathsOf(line)) insert(root, path, line);
  return (method, segments) => {
    const found = find(root, method, segments, 0);
    if (found === null) return null;
    const { line, names } = found.leaf;
    return {
      line,
      params: Object.fromEntries(names.map((name, index) => [name, found.values[index] ?? ''])),
    };
  };
}

/**
 * What is told where there is no line: that there is no such operation, or that there is, by another method
 * (spec 1.19, `M_UNRECOGNIZED`).
 */
export function unrouted(router: Router, segments: readonly Segment[]): GatewayResponse {
  const allow = (['GET', 'PUT', 'POST', 'DELETE'] as const).filter((method) => {
    const line = router(method, segments)?.line;
    return line !== undefined && line.kind !== 'refused';
  });
  return allow.length === 0 ? UNRECOGNIZED : { ...WRONG_METHOD, allow };
}

/** Every path under which a line is found. */
export function pathsOf(line: Endpoint): readonly string[] {
  return [...new Set([...line.paths, ...(line.aliases ?? [])].flatMap(versionsOf))];
}

function versionsOf(path: string): readonly string[] {
  return path.includes('/{v}/') ? VERSIONS.map((version) => path.replace('{v}', version)) : [path];
}

function insert(root: Node, path: string, line: Endpoint): void {
  const segments = path.slice(1).split('/');
  const rest = segments.at(-1) === '**';
  const names: string[] = [];
  let at = root;
  for (const segment of rest ? segments.slice(0, -1) : segments) {
    if (segment.startsWith('{')) {
      names.push(segment.slice(1, -1));
      at = at.parameter ??= node();
    } else {
      const next = at.literals.get(segment) ?? node();
      at.literals.set(segment, next);
      at = next;
    }
  }
  const leaves = rest ? at.below : at.leaves;
  for (const method of line.methods === 'any' ? ['any'] : line.methods) {
    if (leaves.has(method))
      throw new MintwardenError('internal', `Two lines of the catalogue claim ${method} ${path}.`);
    leaves.set(method, { line, names });
  }
}

type Found = { readonly leaf: Leaf; readonly values: readonly string[] };

function find(at: Node, method: string, segments: readonly Segment[], index: number): Found | null {
  const segment = segments[index];
  if (segment === undefined) {
    const leaf = at.leaves.get(method) ?? at.leaves.get('any');
    return leaf === undefined ? null : { leaf, values: [] };
  }
  const literal = at.literals.get(segment.raw);
  const exact = literal === undefined ? null : find(literal, method, segments, index + 1);
  if (exact !== null) return exact;
  if (at.parameter !== null && segment.text !== '') {
    const found = find(at.parameter, method, segments, index + 1);
    if (found !== null) return { leaf: found.leaf, values: [segment.text, ...found.values] };
  }
  const below = at.below.get(method) ?? at.below.get('any');
  // Whatever stands below: a refusal reads no parameters of it.
  return below === undefined ? null : { leaf: below, values: [] };
}
