import type { Permission } from '../../../../src/domain/permission.ts';
import type { RoomId } from '../../../../src/domain/ids.ts';
import type { Scope } from '../../../../src/domain/scope.ts';
import { randomOf, type Random } from '../../fuzz/random.ts';
import type { RoomAnswer } from '../../../../src/gateway/filters/shapes/room.ts';
import { ofRoom, ROOMS, setRarity, sync } from './answers.ts';
import type { Case } from './compare.ts';
import { textOf } from './json-text.ts';

const CAN: readonly (readonly Permission[])[] = [
  ['read'],
  [
    'read',
    'typing',
    'receipts',
    'markers',
    'tags',
    'push-rules',
    'notifications',
    'presence',
    'account-data:com.example.*',
  ],
  ['read:m.room.message', 'read:m.room.member', 'notifications'],
  ['read:com.example.*', 'read:m.room.redaction', 'markers', 'receipts'],
  ['read', 'notifications', 'account-data:com.example.a'],
  ['send'],
  ['read:m.room.create', 'read:m.room.member', 'typing', 'push-rules'],
];
const SCOPES: readonly Scope[] = CAN.map((can) => ({ v: 1, rooms: 'all', can }));
const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\u0000',
  '\\ud800',
  'null',
  '1e5',
  '-',
  '0',
  ' ',
  '\u0000',
  '"type":',
  '"room_id":"!ops:hs.test",',
  '"content":{},',
  ',"a":1',
  '"__proto__":{},',
  'é',
];

const ROOM_KINDS: readonly RoomAnswer[] = ['messages', 'context', 'state', 'members', 'relations', 'threads'];

/** How many cases are made of one answer, each with other accidents, pieces, scopes and rooms. */
const CASES_OF_ONE = 8;

/** The case of this number in the sequence of this seed. */
export function caseOf(seed: number, number: number): Case {
  const { kind, roomId, text } = answerOf(seed, Math.floor(number / CASES_OF_ONE));
  const random = randomOf(Math.imul(seed, 0x9e3779b1) ^ number);
  const bytes = mutated(Buffer.from(text), random);
  return {
    kind,
    bytes,
    pieces: split(bytes, random),
    scope: random.pick(SCOPES),
    roomId,
    rooms: new Set(random.some(ROOMS, 0.6) as RoomId[]),
    canGrow: random.chance(0.5),
    whole: random.chance(0.3),
    creates: CREATES,
  };
}

const CREATES = new Map(
  ROOMS.map((id) => [id, { type: 'm.room.create', room_id: id, content: { avatar_url: 'mxc://hs.test/c' } }]),
);

type Answer = { readonly kind: Case['kind']; readonly roomId: string; readonly text: string };
let last: { readonly key: string; readonly answer: Answer } | null = null;

function answerOf(seed: number, number: number): Answer {
  const key = `${seed} ${number}`;
  if (last?.key === key) return last.answer;
  const random = randomOf(Math.imul(seed, 0x85ebca6b) ^ number);
  const kind = random.pick([...ROOM_KINDS, ...ROOM_KINDS.map(() => 'sync' as const)]);
  const roomId = random.pick(ROOMS);
  setRarity(random.pick([0, 0.003, 0.003, 0.03]));
  const oddity = random.pick([0, 0, 0.002, 0.01, 0.05]);
  const answer = kind === 'sync' ? sync(random) : ofRoom(kind, random, roomId);
  last = { key, answer: { kind, roomId, text: textOf(answer, random, oddity) } };
  return last.answer;
}

/** The bytes after some accidents, or none. */
function mutated(bytes: Buffer, random: Random): Buffer {
  let given = bytes;
  const times = random.pick([0, 0, 0, 1, 1, 2]);
  for (let time = 0; time < times; time++) {
    const at = random.int(given.length);
    const to = Math.min(given.length, at + random.pick([1, 1, 2, 8, 40]));
    const other = random.int(given.length);
    const piece = given.subarray(other, Math.min(given.length, other + random.pick([1, 8, 60])));
    given = Buffer.concat(
      random.pick([
        [given.subarray(0, at), given.subarray(to)],
        [given.subarray(0, at), Buffer.from(random.pick(TOKENS)), given.subarray(at)],
        [given.subarray(0, at), Buffer.of(random.int(256)), given.subarray(at + 1)],
        [given.subarray(0, at), piece, given.subarray(at)],
        [given.subarray(0, at), piece, given.subarray(to)],
      ]),
    );
    if (given.length === 0) return Buffer.from('{');
  }
  return given;
}

function split(bytes: Buffer, random: Random): Buffer[] {
  const most = random.chance(0.02) ? 1 : random.pick([40, 300, 2_000, 1_000_000, 1_000_000]);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = most === 1 ? 1 : 1 + random.int(most);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
