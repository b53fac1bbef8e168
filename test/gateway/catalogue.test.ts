import { isTask } from '../../src/gateway/request/endpoint.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CAPABILITIES, CAPABILITY } from '../../src/domain/capability.ts';
import { ENFORCED } from '../../src/domain/enforced.ts';
import { CATALOGUE } from '../../src/gateway/endpoints/catalogue.ts';
import type { Endpoint } from '../../src/gateway/request/endpoint.ts';
import { parseTarget } from '../../src/gateway/http/target.ts';
import { pathsOf, createRouter } from '../../src/gateway/request/router.ts';

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
const idsOf = (line: Endpoint) => [line.id, ...(line.also ?? [])];
const decides = (id: string) => CATALOGUE.filter((line) => idsOf(line).includes(id));
/** A path with something in the place of each parameter. */
const example = (path: string) => path.replaceAll(/\{\w+\}/g, 'x');
const router = createRouter(CATALOGUE);

function lineOf(method: string, path: string): Endpoint | undefined {
  const target = parseTarget(example(path));
  return 'status' in target ? undefined : router(method, target.segments)?.endpoint;
}

describe('every operation of the specification', () => {
  test('is in the list', () => expect(OPERATIONS).toHaveLength(166));

  test.each(OPERATIONS)('$id: $method $path', ({ id, method, path }) => {
    const [line, ...more] = decides(id);
    expect(more).toEqual([]);
    expect(line?.source).toBeUndefined();
    expect(line?.methods).toContain(method);
    expect(line?.paths.map(plain)).toContain(plain(path));
    expect(lineOf(method, path)).toBe(line);
  });
});

describe('every line', () => {
  test('that says it is the specification’s has its paths and methods from there', () => {
    const known = new Set(OPERATIONS.map(({ method, path }) => `${method} ${plain(path)}`));
    const wrong = CATALOGUE.filter((line) => line.source === undefined).flatMap((line) => {
      const methods = line.methods === 'any' ? ['any'] : line.methods;
      const said = line.paths.flatMap((path) => methods.map((method) => `${method} ${plain(path)}`));
      const undecided = idsOf(line).filter((id) => !OPERATIONS.some((operation) => operation.id === id));
      return [...said.filter((request) => !known.has(request)), ...undecided];
    });
    expect(wrong).toEqual([]);
  });

  test('is found under each of its names', () => {
    const lost = CATALOGUE.flatMap((line) =>
      pathsOf(line).flatMap((name) => {
        const path = name.replace('**', 'x/y');
        const methods = line.methods === 'any' ? (['GET', 'PUT', 'POST', 'DELETE'] as const) : line.methods;
        return methods
          .filter(
            (method) =>
              lineOf(method, path) !== line && !(line.source === 'family' || line.methods === 'any'),
          )
          .map((method) => `${line.id}: ${method} ${path}`);
      }),
    );
    expect(lost).toEqual([]);
  });

  test('names a capability that there is, and says how it is asked and shown where it is not served yet', () => {
    for (const line of CATALOGUE) {
      if (line.kind === 'static' || line.kind === 'public') continue;
      if (line.needs !== 'holder' && line.needs !== 'never') expect(NEEDS).toContain(line.needs);
      if (line.kind === 'refused' && line.needs !== 'never') {
        expect([line.id, typeof line.asked, typeof line.shown, typeof line.room]).toEqual([
          line.id,
          'string',
          'string',
          'string',
        ]);
      }
      if (line.kind === 'forward' || isTask(line, 'multiStep'))
        expect([line.id, typeof line.shown]).toEqual([line.id, 'string']);
    }
  });

  test('that writes is one of these, and judges its capability by itself', () => {
    const writing = CATALOGUE.filter((line) => isTask(line, 'write')).map(
      (line) => `${line.needs} ${line.id} ${line.room}`,
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
      (line) => line.kind === 'forward' || isTask(line, 'poll') || isTask(line, 'multiStep'),
    );
    const needs = new Set(asking.map((line) => (isTask(line, 'poll') ? 'read' : line.needs)));
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
      const line = lineOf(method, path);
      expect([method, line?.kind, line?.kind === 'refused' ? line.needs : '']).toEqual([
        method,
        'refused',
        'never',
      ]);
      expect(line?.id).toBe(id);
    }
  });

  test('a suffix, as Synapse lets it pass, has no line or a refusal', () => {
    const slipped = OPERATIONS.filter(({ method, path }) => {
      if (path.endsWith('}') || path.endsWith('/')) return false;
      const line = lineOf(method, `${path}X`);
      return line !== undefined && line.kind !== 'refused' && !line.paths.some((name) => name.endsWith('}'));
    });
    expect(slipped.map(({ id }) => id)).toEqual([]);
  });
});
