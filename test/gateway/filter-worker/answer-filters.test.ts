import { expect, test } from 'vitest';
import type { GrantId } from '../../../src/domain/ids.ts';
import { answerFilters, type FilterDifference } from '../../../src/gateway/filter-worker/answer-filters.ts';
import {
  endpointFilterJob,
  type FilterTask,
  type LocalFilterJob,
  syncFilterJob,
} from '../../../src/gateway/filter-worker/filter-job.ts';
import type { FilterWorker } from '../../../src/gateway/filter-worker/filter-worker.ts';
import { parseUpstreamJson } from '../../../src/gateway/filter-worker/parse-upstream-json.ts';
import { roomFilter } from '../../../src/gateway/filters/room.ts';
import { ALL_TYPES } from '../../../src/gateway/filters/readable-types.ts';
import { INVALID_UPSTREAM_RESPONSE, ok } from '../../../src/gateway/http/response.ts';
import { ALICE, grantOf, OPS, SECRET } from '../support/grants.ts';

const GRANT = 'g' as GrantId;
const SYNC = {
  kind: 'sync',
  view: { subject: ALICE, scope: { v: 1, rooms: [OPS], can: ['read'] } },
} as const;
const SEARCH = { kind: 'search', view: SYNC.view } as const;
const EVENT = { type: 'm.room.message', sender: '@bob:hs.test', content: { url: 'mxc://hs.test/file' } };
const ANSWER = JSON.stringify({
  next_batch: 's1',
  rooms: { join: { [OPS]: { timeline: { events: [EVENT] } }, [SECRET]: { timeline: { events: [EVENT] } } } },
});

/** A worker that does here what it would do in its thread, and tells which answers it was given. */
function worker(jobOf: (body: unknown) => LocalFilterJob = (body) => syncFilterJob(body, SYNC.view)) {
  const opened: FilterTask['kind'][] = [];
  const discarded: string[] = [];
  const given: FilterWorker = {
    open(work) {
      opened.push(work.kind);
      const chunks: Uint8Array[] = [];
      return {
        push: (chunk) => chunks.push(chunk) > 0,
        end: () => jobOf(parseUpstreamJson(Buffer.concat(chunks))),
        discard: () => void discarded.push(work.kind),
      };
    },
    close: async () => undefined,
  };
  return { given, opened, discarded };
}

async function shown(filters: FilterWorker, task: FilterTask, answer = ANSWER): Promise<unknown> {
  const input = filters.open(task, GRANT);
  for (const byte of Buffer.from(answer)) expect(input.push(Uint8Array.of(byte))).toBe(true);
  const job = input.end();
  await job.roomIds();
  const { nextBatch, news } = await job.filter(new Set([OPS]), false);
  const { body, serialized, mediaReferences } = await job.response(new Map());
  job.release();
  return {
    nextBatch,
    news,
    body: serialized === undefined ? body : (JSON.parse([serialized].flat().map(String).join('')) as unknown),
    media: mediaReferences?.map(({ address }) => address),
  };
}

const options = (isSampled: boolean, mode: 'auto' | 'tree' = 'auto') => {
  const differences: FilterDifference[] = [];
  return {
    differences,
    options: {
      mode,
      onDifference: (difference: FilterDifference) => void differences.push(difference),
      isSampled: () => isSampled,
    },
  };
};
const FROM_BYTES = { nextBatch: 's1', news: true, media: ['mxc://hs.test/file'] };
const ROOMS = { rooms: { join: { [OPS]: { timeline: { events: [EVENT] } } } } };

test('a sync is filtered over its bytes, without the worker, and the media it shows is told', async () => {
  const { given, opened } = worker();
  const result = await shown(answerFilters(given, options(false).options), SYNC);
  expect(result).toMatchObject({ ...FROM_BYTES, body: ROOMS });
  expect(JSON.stringify(result)).not.toContain(SECRET);
  expect(opened).toEqual([]);
});

test('everything else goes to the worker, and with `tree` all does', async () => {
  const { given, opened } = worker((body) => endpointFilterJob(body, () => ok({}), null));
  await shown(answerFilters(given, options(false).options), SEARCH);
  await shown(answerFilters(given, options(false, 'tree').options), SYNC);
  expect(opened).toEqual(['search', 'sync']);
});

test('a sample is filtered in both ways, which nobody notices while they agree', async () => {
  const { given, opened } = worker();
  const { options: sampling, differences } = options(true);
  expect(await shown(answerFilters(given, sampling), SYNC)).toMatchObject({
    nextBatch: 's1',
    news: true,
    body: ROOMS,
  });
  expect({ opened, differences }).toEqual({ opened: ['sync'], differences: [] });
});

test('a difference is told once, the parsed answer counts, and from then on everything is parsed', async () => {
  const other = { ...syncFilterJob({ next_batch: 'other' }, SYNC.view) };
  const { given, opened } = worker(() => other);
  const { options: sampling, differences } = options(true);
  const filters = answerFilters(given, sampling);
  expect(await shown(filters, SYNC)).toMatchObject({ nextBatch: 'other', news: false });
  expect(await shown(filters, SYNC)).toMatchObject({ nextBatch: 'other' });
  expect({ opened, differences }).toEqual({ opened: ['sync', 'sync'], differences: [{ answer: 'sync' }] });
});

test('an answer that neither can read is no difference, whichever step tells it', async () => {
  const { given } = worker();
  const { options: sampling, differences } = options(true);
  const invalid = { code: 'homeserver-invalid-response' };
  await expect(shown(answerFilters(given, sampling), SYNC, '{"rooms":{}}')).rejects.toMatchObject(invalid);
  expect(differences).toEqual([]);
});

test('an answer that is large is not compared', async () => {
  const { given, discarded } = worker();
  const { options: sampling } = options(true);
  const input = answerFilters(given, sampling).open(SYNC, GRANT);
  input.push(Buffer.alloc(600_000, ' '));
  expect(discarded).toEqual(['sync']);
  input.push(Buffer.from(ANSWER));
  expect(await input.end().roomIds()).toEqual([OPS, SECRET]);
});

const TREE = roomFilter('messages', OPS, ALL_TYPES);
const CALL = {
  params: { roomId: OPS },
  query: new Map<string, string>(),
  body: undefined,
  now: 0,
  access: { grant: grantOf([OPS]), rooms: new Set([OPS]) },
};
const page = (...chunk: object[]): Buffer => Buffer.from(JSON.stringify({ start: 'a', end: 'b', chunk }));
const inPlace = (filters: ReturnType<typeof answerFilters>, bytes: Buffer, tree = TREE) =>
  filters.filterInPlace('messages', CALL, tree, bytes);
const MINE = { ...EVENT, event_id: '$a', room_id: OPS };
const PAGE = page(MINE, { ...MINE, room_id: SECRET }, { ...MINE, content: { body: 'schön 🎉' } });

test.each([false, true])('a small page is filtered where it is (also by the tree: %s)', (isSampled) => {
  const { options: how, differences } = options(isSampled);
  const shown = inPlace(answerFilters(worker().given, how), PAGE);
  expect(shown?.mediaReferences?.map(({ address }) => address)).toEqual(['mxc://hs.test/file']);
  expect(JSON.parse(String(shown?.serialized))).toEqual(TREE(JSON.parse(PAGE.toString()), new Set()).body);
  expect(differences).toEqual([]);
});

test('a small page that is not one is invalid, by both filters alike', () => {
  const { options: sampling, differences } = options(true);
  const filters = answerFilters(worker().given, sampling);
  for (const bytes of ['', '{', '[]', '{"chunk":{}}', '{"chunk":[]}x'].map((text) => Buffer.from(text)))
    expect(inPlace(filters, bytes)).toEqual(INVALID_UPSTREAM_RESPONSE);
  expect(inPlace(filters, Buffer.from([0xff]))).toEqual(INVALID_UPSTREAM_RESPONSE);
  expect(differences).toEqual([]);
});

test('a difference in a small page is told once, and from then on everything is parsed', () => {
  const { options: sampling, differences } = options(true);
  const filters = answerFilters(worker().given, sampling);
  const none = () => ok({ start: 'a', end: 'b', chunk: [] });
  expect([inPlace(filters, PAGE, none), inPlace(filters, PAGE, none)]).toEqual([null, null]);
  expect(differences).toEqual([{ answer: 'messages' }]);
});

test('with `tree` no page is filtered over its bytes', () => {
  expect(inPlace(answerFilters(worker().given, options(false, 'tree').options), PAGE)).toBeNull();
});
