import { pathToFileURL } from 'node:url';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { GrantId, RoomId } from '../../../src/domain/ids.ts';
import { type FilterWorker, createFilterWorker } from '../../../src/gateway/filter-worker/filter-worker.ts';
import { syncFilterJob } from '../../../src/gateway/filter-worker/filter-job.ts';
import { ALICE, DEV, grantOf, OPS, SECRET } from '../support/grants.ts';
import { silentLog } from '../../support/silent-log.ts';
import { fakeTimers } from '../../support/fake-timers.ts';

const VIEW = { subject: ALICE, scope: grantOf([OPS]).scope };
const MINE = '7F3K9Q' as GrantId;
const WORK = { kind: 'sync', view: VIEW } as const;
const ROOMS: ReadonlySet<RoomId> = new Set([OPS, DEV]);
const NO_EVENTS = new Map<string, never>();

function started(
  options: Partial<Parameters<typeof createFilterWorker>[0]> = {},
): FilterWorker & AsyncDisposable {
  const large = createFilterWorker({
    queueBytes: 64_000_000,
    heapMb: 1_536,
    stepTimeoutMs: 5_000,
    log: silentLog,
    ...options,
  });
  return { ...large, [Symbol.asyncDispose]: () => large.close() };
}

function sync(events: number): object {
  const room = (text: string): object => ({
    timeline: {
      limited: true,
      prev_batch: 'p',
      events: Array.from({ length: events }, (_, at) => ({
        type: 'm.room.message',
        event_id: `$${String(at)}`,
        sender: '@bob:hs.test',
        content: { body: `${text} – ü 🐙 ${String(at)}` },
        unsigned: { transaction_id: 'leak' },
      })),
    },
  });
  return {
    next_batch: 's1',
    rooms: { join: { [OPS]: room('ours'), [DEV]: room('ours too'), [SECRET]: room('leak') } },
    presence: { leak: 1 },
  };
}

async function filtered(large: FilterWorker, bytes: Uint8Array, chunk: number): Promise<string> {
  const feed = large.open(WORK, MINE);
  for (let at = 0; at < bytes.length; at += chunk)
    expect(feed.push(bytes.subarray(at, at + chunk))).toBe(true);
  const job = feed.end();
  expect(await job.roomIds()).toStrictEqual([OPS, DEV, SECRET]);
  const shown = await job.filter(ROOMS, true);
  expect(shown).toStrictEqual({ nextBatch: 's1', news: true, missingCreate: [DEV] });
  const answer = await job.response(NO_EVENTS);
  job.release();
  return Buffer.concat((answer.serialized ?? []) as Uint8Array[]).toString();
}

describe('a large answer', () => {
  // 7: every character of several bytes is torn apart somewhere; 300 000: more than is handed over at one
  // time.
  test.each([7, 65_536, 300_000])('in pieces of %d bytes is shown as it would be in place', async (chunk) => {
    await using large = started();
    const body = sync(chunk === 7 ? 40 : 3_000);
    const here = syncFilterJob(body, VIEW);
    here.filter(ROOMS, true);
    const got = await filtered(large, Buffer.from(JSON.stringify(body)), chunk);
    expect(got).toBe(JSON.stringify(here.response(NO_EVENTS).body));
    expect(got).not.toContain('leak');
  });

  test('the thread is there while there is work, and ends when there was none for a while', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'mintwarden-thread-'));
    const [births, thread] = [join(folder.path, 'births'), join(folder.path, 'thread.mjs')];
    const real = new URL('../../../src/gateway/filter-thread.ts', import.meta.url).href;
    const lines = [
      "import { appendFileSync } from 'node:fs';",
      `appendFileSync(${JSON.stringify(births)}, 'x');`,
      `await import('${real}');`,
    ];
    await writeFile(thread, lines.join('\n'));
    await writeFile(births, '');
    using timers = fakeTimers();
    await using large = started({ thread: pathToFileURL(thread), idleMs: 300 });
    const body = Buffer.from(JSON.stringify(sync(3)));
    expect(await readFile(births, 'utf8')).toBe('');
    await filtered(large, body, 10_000);
    await filtered(large, body, 10_000);
    expect(await readFile(births, 'utf8')).toBe('x');
    await timers.pass(900);
    expect(await filtered(large, body, 10_000)).not.toContain('leak');
    expect(await readFile(births, 'utf8')).toBe('xx');
  });

  test('several at one time are not mixed up', async () => {
    await using large = started();
    const sizes = [900, 1, 400, 30];
    const got = await Promise.all(
      sizes.map((events) => filtered(large, Buffer.from(JSON.stringify(sync(events))), 10_000)),
    );
    expect(got.map((text) => text.split('$').length - 1)).toStrictEqual(sizes.map((events) => events * 2));
  });

  test.each([
    ['no JSON', Buffer.from('{"next_batch":')],
    ['no UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22])],
    ['another shape', Buffer.from('{"next_batch":"s1","rooms":{"join":[]}}')],
  ])('that is %s is told as nonsense, and the next one is not touched by it', async (_, bytes) => {
    await using large = started();
    const feed = large.open(WORK, MINE);
    feed.push(bytes);
    const job = feed.end();
    const asked = (async () => (await job.roomIds(), job.filter(ROOMS, true)))();
    await expect(asked).rejects.toMatchObject({ code: 'homeserver-invalid-response' });
    job.release();
    expect(await filtered(large, Buffer.from(JSON.stringify(sync(1))), 100)).toContain('ours');
  });
});

describe('what may wait', () => {
  test('is bounded by bytes, and what is dropped or done no longer counts', async () => {
    await using large = started({ queueBytes: 10_000_000 });
    const first = large.open(WORK, MINE);
    expect(first.push(new Uint8Array(8_000_000))).toBe(true);
    const second = large.open(WORK, MINE);
    expect(second.push(new Uint8Array(4_000_000))).toBe(false);
    first.discard();
    first.discard();
    expect(first.push(new Uint8Array(1))).toBe(false);
    expect(second.push(new Uint8Array(9_000_000))).toBe(true);
    const job = second.end();
    await expect(job.roomIds()).rejects.toMatchObject({ code: 'homeserver-invalid-response' });
    job.release();
    expect(large.open(WORK, MINE).push(new Uint8Array(10_000_000))).toBe(true);
  });

  test('is not filled by one so that others cannot be served, and others do not fill it without end', async () => {
    await using large = started({ queueBytes: 10_000_000 });
    const mine = [large.open(WORK, MINE), large.open(WORK, MINE)];
    expect(mine[0]?.push(new Uint8Array(10_000_000))).toBe(true);
    expect(mine[1]?.push(new Uint8Array(1_000))).toBe(false);
    const others = Array.from({ length: 6 }, (_, at) => large.open(WORK, `OTHER${at}` as GrantId));
    // Four mebibytes are for those who have little, each no more than one.
    expect(others.map((feed) => feed.push(new Uint8Array(1_000_000)))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(others[0]?.push(new Uint8Array(100_000))).toBe(false);
    for (const feed of [...mine, ...others]) feed.discard();
    expect(large.open(WORK, MINE).push(new Uint8Array(10_000_000))).toBe(true);
  });
});

describe('a thread that goes wrong', () => {
  const REAL = new URL('../../../src/gateway/filter-thread.ts', import.meta.url).href;
  // The first one does as it is told here; every later one is the real one.
  const faulty = async (does: string) => {
    const folder = await mkdtempDisposable(join(tmpdir(), 'mintwarden-thread-'));
    const file = join(folder.path, 'thread.mjs');
    await writeFile(
      file,
      `import { existsSync, writeFileSync } from 'node:fs';
       import { parentPort } from 'node:worker_threads';
       if (existsSync(${JSON.stringify(file)} + '.was')) await import(${JSON.stringify(REAL)});
       else {
         writeFileSync(${JSON.stringify(file)} + '.was', '');
         parentPort.on('message', ({ step }) => { if (step === 'read') { ${does} } });
       }`,
    );
    return { folder, url: pathToFileURL(file) };
  };

  test.each([
    ['throws', "setImmediate(() => { throw new Error('leak') })"],
    ['ends', 'process.exit(0)'],
    ['hangs', 'for (;;);'],
    ['is silent', ''],
    ['runs out of memory', 'let all = null; for (;;) all = { all };'],
  ])(
    'and %s: its answers cannot be passed on, nothing of the cause is told, and the next one is well',
    { timeout: 30_000 },
    async (_, does) => {
      const { folder, url } = await faulty(does);
      await using removed = folder;
      const logged: unknown[] = [];
      const log = { ...silentLog, error: (...all: unknown[]) => void logged.push(all) };
      await using large = started({ stepTimeoutMs: 3_000, thread: url, log, heapMb: 64 });
      const both = [large.open(WORK, MINE), large.open(WORK, MINE)].map((feed) => {
        feed.push(Buffer.from(JSON.stringify(sync(1))));
        return feed.end();
      });
      for (const job of both) {
        await expect(job.roomIds()).rejects.toMatchObject({ code: 'homeserver-invalid-response' });
        await expect(job.filter(ROOMS, true)).rejects.toMatchObject({ code: 'homeserver-invalid-response' });
        job.release();
      }
      expect(logged).toHaveLength(1);
      expect(JSON.stringify(logged)).not.toContain('leak');
      expect(await filtered(large, Buffer.from(JSON.stringify(sync(2))), 100)).toContain('ours');
      expect(removed.path).toBe(folder.path);
    },
  );

  test('closed in the middle of a job: those who wait get an error', async () => {
    const large = started();
    const feed = large.open(WORK, MINE);
    feed.push(Buffer.from(JSON.stringify(sync(1))));
    const asked = feed.end().roomIds();
    await Promise.all([
      expect(asked).rejects.toMatchObject({ code: 'homeserver-invalid-response' }),
      large.close(),
    ]);
  });
});

test('what a small heap could not hold is refused, and the thread stays: wide characters take twice the room', async () => {
  await using large = started({ heapMb: 72 });
  const answer = (megabytes: number): Buffer => {
    const body = `${'a'.repeat(60_000)}€`;
    const events = Array.from({ length: megabytes * 16 }, (_, at) => ({
      type: 'm.room.message',
      event_id: `$${at}`,
      sender: '@b:hs.test',
      content: { msgtype: 'm.text', body },
    }));
    return Buffer.from(
      JSON.stringify({ next_batch: 's1', rooms: { join: { [OPS]: { timeline: { events } } } } }),
    );
  };
  const read = async (bytes: Buffer): Promise<number> => {
    const input = large.open(WORK, MINE);
    expect(input.push(bytes)).toBe(true);
    const job = input.end();
    try {
      await job.roomIds();
      await job.filter(ROOMS, true);
      const { serialized } = await job.response(NO_EVENTS);
      return Buffer.concat(serialized as Uint8Array[]).length;
    } finally {
      job.release();
    }
  };
  expect(await read(answer(6))).toBeGreaterThan(5_000_000);
  for (const megabytes of [15, 20, 30])
    await expect(read(answer(megabytes))).rejects.toMatchObject({ code: 'homeserver-invalid-response' });
  expect(await read(answer(6))).toBeGreaterThan(5_000_000);
});
