// Processor time of the filter over bytes beside the one over parsed JSON, in rounds of one run:
//   node test/bench/filters.ts
import type { RoomId } from '../../src/domain/ids.ts';
import { byteFilter, filterBytes } from '../../src/gateway/filters/bytes/byte-filter.ts';
import { ALL_TYPES } from '../../src/gateway/filters/readable-types.ts';
import { roomFilter } from '../../src/gateway/filters/room.ts';
import { filterSync } from '../../src/gateway/filters/sync.ts';
import { parseUpstreamJson } from '../../src/gateway/filter-worker/parse-upstream-json.ts';
import { ALICE, OPS } from '../gateway/support/grants.ts';

const ROUNDS = 5;
const ROOMS: ReadonlySet<RoomId> = new Set([OPS]);
const PIECE = 65_536;

const message = (at: number) => ({
  type: 'm.room.message',
  sender: '@alice:hs.example.org',
  event_id: `$${String(at).padStart(43, 'a')}`,
  room_id: OPS,
  origin_server_ts: 1_700_000_000_000 + at,
  content: { msgtype: 'm.text', body: `hello there, how are you? ${at}` },
  unsigned: { age: 500 + at, membership: 'join', transaction_id: 'm1234' },
  user_id: '@alice:hs.example.org',
});
const member = (at: number) => ({
  type: 'm.room.member',
  sender: `@user${at}:hs.example.org`,
  state_key: `@user${at}:hs.example.org`,
  event_id: `$${String(at).padStart(43, 'b')}`,
  origin_server_ts: 1_700_000_000_000,
  content: { membership: 'join', displayname: `Üser ${at}`, avatar_url: `mxc://hs.example.org/a${at}` },
  unsigned: { age: 77 },
});
const page = (events: readonly unknown[]) =>
  Buffer.from(JSON.stringify({ start: 't1', end: 't2', chunk: events }));
const times = <T>(count: number, one: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => one(at));
const TASK = { kind: 'messages', roomId: OPS, readable: ALL_TYPES } as const;
const SYNC = {
  kind: 'sync',
  view: { subject: ALICE, scope: { v: 1, rooms: [OPS], can: ['read'] } },
  mayShow: () => true,
} as const;
const filterMessages = roomFilter('messages', OPS, ALL_TYPES);

/** How long the longest piece took, in milliseconds. */
let longest = 0;

function inPieces(bytes: Buffer, filter: ReturnType<typeof byteFilter>): void {
  for (let at = 0; at < bytes.length; at += PIECE) {
    const began = performance.now();
    filter.push(bytes.subarray(at, at + PIECE));
    longest = Math.max(longest, performance.now() - began);
  }
  filter.end();
}

const tree = (bytes: Buffer): number =>
  Buffer.byteLength(JSON.stringify(filterMessages(parseUpstreamJson(bytes), ROOMS).body));
const parsed = (bytes: Buffer): number => Buffer.byteLength(JSON.stringify(parseUpstreamJson(bytes)));
const first = Buffer.from(
  JSON.stringify({
    next_batch: 's1',
    rooms: {
      join: {
        [OPS]: { timeline: { events: times(200, message) }, state: { events: times(46_000, member) } },
      },
    },
  }),
);

type Row = readonly [
  name: string,
  bytes: Buffer,
  times: number,
  ways: Readonly<Record<string, (bytes: Buffer) => number>>,
];
const small = { bytes: (given: Buffer): number => filterBytes(given, TASK)?.bytes.length ?? 0, tree };
const rows: readonly Row[] = [
  ['800 B', page(times(2, message)), 100_000, small],
  ['3 KB', page(times(8, message)), 30_000, small],
  ['100 KB', page(times(270, message)), 1_000, small],
  [
    '15 MB /sync',
    first,
    2,
    {
      bytes(given) {
        const filter = byteFilter(SYNC);
        inPieces(given, filter);
        return filter.sync(ROOMS, true).write(new Map()).pieces.length;
      },
      tree: (given) =>
        Buffer.byteLength(JSON.stringify(filterSync(parseUpstreamJson(given), ROOMS, true, SYNC.view).body)),
      'parse, stringify': parsed,
    },
  ],
];

for (const [name, bytes, count, ways] of rows) {
  const best = new Map<string, number>();
  longest = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const [way, run] of Object.entries(ways)) {
      const before = process.cpuUsage();
      for (let at = 0; at < count; at++) run(bytes);
      const { user, system } = process.cpuUsage(before);
      best.set(way, Math.min(best.get(way) ?? Infinity, (user + system) / count));
    }
  }
  const figures = [...best].map(
    ([way, us]) => `${way} ${us < 1_000 ? `${us.toFixed(1)} µs` : `${(us / 1_000).toFixed(1)} ms`}`,
  );
  console.log(
    `${name} (${bytes.length} bytes): ${figures.join(', ')}${longest > 0 ? `; longest piece ${longest.toFixed(1)} ms` : ''}`,
  );
}
