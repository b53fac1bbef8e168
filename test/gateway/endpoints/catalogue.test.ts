import { isTask } from '../../../src/gateway/request/endpoint.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CAPABILITIES, CAPABILITY } from '../../../src/domain/capability.ts';
import { ENFORCED } from '../../../src/domain/enforced.ts';
import { CATALOGUE } from '../../../src/gateway/endpoints/catalogue.ts';
import type { Endpoint } from '../../../src/gateway/request/endpoint.ts';
import { parseTarget } from '../../../src/gateway/http/target.ts';
import { pathsOf, createRouter } from '../../../src/gateway/request/router.ts';

/** The capabilities a token without a device can have. */
const NEEDS = CAPABILITIES.filter((name) => !CAPABILITY[name].device);

/**
 * The specification's operations: a new version's list goes over `operations.tsv`, and what is undecided
 * fails here.
 */
const OPERATIONS = readFileSync(join(import.meta.dirname, 'operations.tsv'), 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((row) => {
    const [, method = '', path = '', id = ''] = row.split('\t');
    return { method, path, id };
  });

/** A path without what parameters are called and which version it is. */
const plain = (path: string) =>
  path.replaceAll(/\{\w+\}/g, '{}').replace(/^\/_matrix\/client\/(?:v1|v3|\{\})\//, '/_matrix/client/v/');
const idsOf = (endpoint: Endpoint) => [endpoint.id, ...(endpoint.also ?? [])];
const decides = (id: string) => CATALOGUE.filter((endpoint) => idsOf(endpoint).includes(id));
/** A path with something in the place of each parameter. */
const example = (path: string) => path.replaceAll(/\{\w+\}/g, 'x');
const router = createRouter(CATALOGUE);

function endpointOf(method: string, path: string): Endpoint | undefined {
  const target = parseTarget(example(path));
  return 'status' in target ? undefined : router(method, target.segments)?.endpoint;
}

describe('every operation of the specification', () => {
  test('is in the list', () => expect(OPERATIONS).toHaveLength(166));

  test.each(OPERATIONS)('$id: $method $path', ({ id, method, path }) => {
    const [endpoint, ...more] = decides(id);
    expect(more).toEqual([]);
    expect(endpoint?.source).toBeUndefined();
    expect(endpoint?.methods).toContain(method);
    expect(endpoint?.paths.map(plain)).toContain(plain(path));
    expect(endpointOf(method, path)).toBe(endpoint);
  });
});

describe('every endpoint', () => {
  test('that says it is the specification’s has its paths and methods from there', () => {
    const known = new Set(OPERATIONS.map(({ method, path }) => `${method} ${plain(path)}`));
    const wrong = CATALOGUE.filter((endpoint) => endpoint.source === undefined).flatMap((endpoint) => {
      const methods = endpoint.methods === 'any' ? ['any'] : endpoint.methods;
      const said = endpoint.paths.flatMap((path) => methods.map((method) => `${method} ${plain(path)}`));
      const undecided = idsOf(endpoint).filter((id) => !OPERATIONS.some((operation) => operation.id === id));
      return [...said.filter((request) => !known.has(request)), ...undecided];
    });
    expect(wrong).toEqual([]);
  });

  test('is found under each of its names', () => {
    const lost = CATALOGUE.flatMap((endpoint) =>
      pathsOf(endpoint).flatMap((name) => {
        const path = name.replace('**', 'x/y');
        const methods =
          endpoint.methods === 'any' ? (['GET', 'PUT', 'POST', 'DELETE'] as const) : endpoint.methods;
        return methods
          .filter(
            (method) =>
              endpointOf(method, path) !== endpoint &&
              !(endpoint.source === 'family' || endpoint.methods === 'any'),
          )
          .map((method) => `${endpoint.id}: ${method} ${path}`);
      }),
    );
    expect(lost).toEqual([]);
  });

  test('names a capability that there is, and says how it is asked and shown where it is not served yet', () => {
    for (const endpoint of CATALOGUE) {
      if (endpoint.kind === 'static' || endpoint.kind === 'public') continue;
      if (endpoint.needs !== 'holder' && endpoint.needs !== 'never') expect(NEEDS).toContain(endpoint.needs);
      if (endpoint.kind === 'refused' && endpoint.needs !== 'never') {
        expect([endpoint.id, typeof endpoint.asked, typeof endpoint.shown, typeof endpoint.room]).toEqual([
          endpoint.id,
          'string',
          'string',
          'string',
        ]);
      }
      if (endpoint.kind === 'forward' || isTask(endpoint, 'multiStep'))
        expect([endpoint.id, typeof endpoint.shown]).toEqual([endpoint.id, 'string']);
    }
  });

  test('that writes is one of these, and judges its capability by itself', () => {
    const writing = CATALOGUE.filter((endpoint) => isTask(endpoint, 'write')).map(
      (endpoint) => `${endpoint.needs} ${endpoint.id} ${endpoint.room}`,
    );
    expect(writing).toEqual([
      'send sendMessage path',
      'send sendMessageWithoutTransaction path',
      'redact redactEvent path',
      'redact redactEventWithoutTransaction path',
    ]);
  });

  test('that serves besides reads, or answers here', () => {
    const asking = CATALOGUE.filter(
      (endpoint) => endpoint.kind === 'forward' || isTask(endpoint, 'poll') || isTask(endpoint, 'multiStep'),
    );
    const needs = new Set(asking.map((endpoint) => (isTask(endpoint, 'poll') ? 'read' : endpoint.needs)));
    // What is served and cannot be granted yet.
    const early = [...needs].filter((need) => need !== 'holder' && !ENFORCED.capabilities.includes(need));
    expect(early).toEqual([]);
  });
});

describe('branches that never pass, whatever is in them tomorrow', () => {
  test.each([
    ['/_synapse/admin/v9/anything', 'synapse'],
    ['/_synapse/client/x', 'synapse'],
    ['/_matrix/federation/v1/send/1', 'otherApis'],
    ['/_matrix/key/v2/server', 'otherApis'],
    ['/_matrix/app/v1/transactions/1', 'otherApis'],
    ['/_matrix/client/v3/admin/new', 'adminFamily'],
    ['/_matrix/client/unstable/uk.timedout.msc4323/admin/lock/x', 'adminFamily'],
    ['/_matrix/client/v3/account/new', 'accountFamily'],
    ['/_matrix/client/v3/login/new', 'accountFamily'],
    ['/_matrix/client/v3/keys/new', 'keysFamily'],
    ['/_matrix/client/v3/room_keys/new', 'keysFamily'],
    ['/_matrix/client/v3/pushers/remove', 'pushersFamily'],
    ['/_matrix/client/unstable/org.matrix.msc4140/delayed_events/1/send', 'delayedEvents'],
    ['/_matrix/client/unstable/org.matrix.msc4108/rendezvous/x', 'rendezvous'],
    ['/_matrix/client/unstable/io.element.msc4388/rendezvous', 'rendezvous'],
    ['/_matrix/client/v3/user/x/openid/request_tokenX', 'accountFamily'],
    ['/_matrix/media/v9/anything', 'legacyMediaFamily'],
    ['/_matrix/client/api/v1/rooms/x/state', 'oldApis'],
  ])('%s', (path, id) => {
    for (const method of ['GET', 'PUT', 'POST', 'DELETE']) {
      const endpoint = endpointOf(method, path);
      expect([method, endpoint?.kind, endpoint?.kind === 'refused' ? endpoint.needs : '']).toEqual([
        method,
        'refused',
        'never',
      ]);
      expect(endpoint?.id).toBe(id);
    }
  });

  test('a suffix, as Synapse lets it pass, has no endpoint or a refusal', () => {
    const slipped = OPERATIONS.filter(({ method, path }) => {
      if (path.endsWith('}') || path.endsWith('/')) return false;
      const endpoint = endpointOf(method, `${path}X`);
      return (
        endpoint !== undefined &&
        endpoint.kind !== 'refused' &&
        !endpoint.paths.some((name) => name.endsWith('}'))
      );
    });
    expect(slipped.map(({ id }) => id)).toEqual([]);
  });
});
