import { expect, test } from 'vitest';
import { megolmIndex, ratchetUses, reusedRatchets } from './megolm.ts';
import type { WireEvent } from './megolm.ts';

const ciphertext = (...bytes: number[]): string =>
  Buffer.from([3, 8, ...bytes, 0x12, 1, 0xff]).toString('base64');

const event = (eventId: string, sessionId: string, text: string): WireEvent => ({
  event_id: eventId,
  sender: '@bot:test.local',
  type: 'm.room.encrypted',
  origin_server_ts: 0,
  content: { session_id: sessionId, ciphertext: text },
});

test('reads the index, also where it takes more than one byte', () => {
  expect(megolmIndex(ciphertext(0))).toBe(0);
  expect(megolmIndex(ciphertext(0x7f))).toBe(127);
  expect(megolmIndex(ciphertext(0xac, 0x02))).toBe(300);
  expect(() => megolmIndex('AAAA')).toThrow('no Megolm message');
});

test('finds a step used twice, and only in the same session', () => {
  const uses = ratchetUses([
    event('$1', 'A', ciphertext(1)),
    event('$2', 'B', ciphertext(1)),
    event('$3', 'A', ciphertext(2)),
  ]);
  expect(reusedRatchets(uses)).toEqual([]);
  const again = ratchetUses([event('$4', 'A', ciphertext(2))]);
  expect(reusedRatchets([...uses, ...again]).map((group) => group.map((use) => use.eventId))).toEqual([
    ['$3', '$4'],
  ]);
});

test('leaves out what was redacted', () => {
  expect(ratchetUses([{ ...event('$1', 'A', ''), content: {} }])).toEqual([]);
});
