import { MintwardenError } from '../../domain/errors.ts';
import { type GatewayResponse, UNRECOGNIZED, WRONG_METHOD } from '../http/response.ts';
import { type Endpoint, VERSIONS } from './endpoint.ts';
import type { Segment } from '../http/target.ts';

/** One name of an operation: its methods, and a pattern of its path. */
export type Form = { readonly methods: Endpoint['methods']; readonly path: string };

/** The endpoint a request falls under, what its path says, and every name of the operation. */
export type Route = {
  readonly endpoint: Endpoint;
  readonly params: Readonly<Record<string, string>>;
  readonly forms: readonly Form[];
};

/** Finds the endpoint of a method and a path; null where there is none. */
export type Router = (method: string, segments: readonly Segment[]) => Route | null;

type Leaf = {
  readonly endpoint: Endpoint;
  readonly names: readonly string[];
  readonly forms: readonly Form[];
};
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
 * @throws MintwardenError `internal` where two endpoints claim the same method and path
 */
export function createRouter(endpoints: readonly Endpoint[]): Router {
  const root = node();
  const forms = Map.groupBy(endpoints.flatMap(formsOf), ({ operation }) => operation);
  for (const endpoint of endpoints)
    for (const path of pathsOf(endpoint))
      insert(root, path, endpoint, forms.get(operationOf(endpoint)) ?? []);
  return (method, segments) => {
    const found = find(root, method, segments, 0);
    if (found === null) return null;
    const { endpoint, names, forms: named } = found.leaf;
    return {
      endpoint,
      params: Object.fromEntries(names.map((name, index) => [name, found.values[index] ?? ''])),
      forms: named,
    };
  };
}

/**
 * The response where there is no endpoint: 404, or 405 if there is one for another method
 * (spec 1.19, `M_UNRECOGNIZED`).
 */
export function unrouted(router: Router, segments: readonly Segment[]): GatewayResponse {
  const allow = (['GET', 'PUT', 'POST', 'DELETE'] as const).filter((method) => {
    const endpoint = router(method, segments)?.endpoint;
    return endpoint !== undefined && endpoint.kind !== 'refused';
  });
  return allow.length === 0 ? UNRECOGNIZED : { ...WRONG_METHOD, allow };
}

/** Every path under which an endpoint is found. */
export function pathsOf(endpoint: Endpoint): readonly string[] {
  return [...new Set([...endpoint.paths, ...(endpoint.aliases ?? [])].flatMap(versionsOf))];
}

function operationOf({ id, formOf }: Endpoint): string {
  return formOf ?? id;
}

function formsOf(endpoint: Endpoint): readonly (Form & { readonly operation: string })[] {
  const operation = operationOf(endpoint);
  const paths = pathsOf(endpoint).filter((path) => !path.endsWith('/**'));
  return paths.map((path) => ({ operation, methods: endpoint.methods, path }));
}

function versionsOf(path: string): readonly string[] {
  return path.includes('/{v}/') ? VERSIONS.map((version) => path.replace('{v}', version)) : [path];
}

function insert(root: Node, path: string, endpoint: Endpoint, forms: readonly Form[]): void {
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
  for (const method of endpoint.methods === 'any' ? ['any'] : endpoint.methods) {
    if (leaves.has(method))
      throw new MintwardenError('internal', `Two endpoints of the catalogue claim ${method} ${path}.`);
    leaves.set(method, { endpoint, names, forms });
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
  // A refused branch reads no parameters of what is below it.
  return below === undefined ? null : { leaf: below, values: [] };
}
