import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { RoomId } from '../../src/domain/ids.ts';
import { deliveryInviteReason, inviteReason } from '../../src/words/invite.ts';
import { lineToText } from '../../src/words/render.ts';
import { scopeSentence } from '../../src/words/scope-sentence.ts';
import { moment, relative, shortDuration, utc } from '../../src/words/time.ts';
import { tryItLine } from '../../src/words/try-it.ts';
import { grantWith, HOUR, LOBBY, NOW, OPS } from './sample.ts';

const ops = { roomId: OPS, name: 'Ops', encrypted: true };
const lobby = { roomId: LOBBY, name: null, encrypted: false };

function sentence(rooms: 'all' | readonly RoomId[], facts: readonly (typeof ops | typeof lobby)[]): string {
  return lineToText(scopeSentence(grantWith({ scope: { v: 1, rooms, can: ['read'] }, rooms: facts }), NOW));
}

describe('the scope as a sentence', () => {
  it('names the rooms and says which are encrypted', () => {
    expect(sentence([OPS], [ops])).toMatchInlineSnapshot(
      `"can read 1 room, “Ops” (!ops:example.org); it is encrypted: sees who and when, not what; cannot send; until 14:05 UTC, in 1 h"`,
    );
    expect(sentence([LOBBY], [lobby])).toMatchInlineSnapshot(
      `"can read 1 room, !_dDn1kut5YSer…; cannot send; until 14:05 UTC, in 1 h"`,
    );
    expect(sentence([OPS, LOBBY], [ops, lobby])).toMatchInlineSnapshot(
      `"can read 2 rooms: “Ops” (!ops:example.org) and !_dDn1kut5YSer…; “Ops” is encrypted: sees who and when, not what; cannot send; until 14:05 UTC, in 1 h"`,
    );
    expect(sentence([OPS, LOBBY], [ops, { ...ops, roomId: LOBBY, name: 'Lobby' }])).toMatchInlineSnapshot(
      `"can read 2 rooms: “Ops” (!ops:example.org) and “Lobby” (!_dDn1kut5YSer…); all of them are encrypted: sees who and when, not what; cannot send; until 14:05 UTC, in 1 h"`,
    );
    expect(sentence('all', [])).toMatchInlineSnapshot(
      `"can read every room the user is in, later ones too (never the control room, Mintwarden's DMs, server notices); of encrypted rooms it sees who and when, not what; cannot send; until 14:05 UTC, in 1 h"`,
    );
    expect(sentence([], [])).toMatchInlineSnapshot(
      `"can read nothing; cannot send; until 14:05 UTC, in 1 h"`,
    );
  });

  it('tells rooms apart whose ids begin alike, and cannot be talked round by a room’s name', () => {
    const twins = ['!aaaaaaaaaaaaaaaaaaaaaaaaaaaaa1', '!aaaaaaaaaaaaaaaaaaaaaaaaaaaaa2'] as RoomId[];
    const text = sentence(twins, []);
    for (const twin of twins) expect(text).toContain(twin);
    expect(sentence([OPS], [{ ...ops, name: 'Ops” (!x); can send “' }])).toContain("“Ops' (!x); can send '”");
  });
});

describe('times', () => {
  it('are relative and in UTC, with the date when that is another day', () => {
    expect(moment(NOW + HOUR, NOW)).toBe('14:05 UTC (in 1 h)');
    expect(moment(NOW - 5 * 60_000, NOW)).toBe('13:00 UTC (5 min ago)');
    expect(utc(NOW + 24 * HOUR, NOW)).toBe('22 Nov, 13:05 UTC');
    expect(utc(NOW + 90 * 24 * HOUR, NOW)).toBe('19 Feb 2027, 13:05 UTC');
    expect(relative(NOW + 500, NOW)).toBe('now');
  });

  it.each([
    [45_000, '45 s'],
    [119_600, '2 min'],
    [59_700, '1 min'],
    [90 * 60_000, '1 h 30 min'],
    [24 * HOUR, '1 d'],
    [24 * HOUR - 20_000, '1 d'],
    [51 * HOUR, '2 d 3 h'],
  ])('%d ms is %s', (ms, text) => expect(shortDuration(ms)).toBe(text));
});

describe('invitations', () => {
  it('already say what the notice says', () => {
    expect(inviteReason(grantWith(), NOW)).toMatchInlineSnapshot(
      `"@ada:example.org made an access token (7F3K9Q) that can read 1 of your rooms as you until 14:05 UTC. Join to see who holds it and why, and to end it."`,
    );
    expect(deliveryInviteReason(grantWith(), NOW)).toMatchInlineSnapshot(
      `"@ada:example.org made you an access token (7F3K9Q), good until 14:05 UTC. Join this encrypted chat to receive it."`,
    );
    const long = grantWith({ minter: `@${'a'.repeat(240)}:example.org` as never });
    expect(inviteReason(long, NOW).length).toBeLessThanOrEqual(250);
    expect(inviteReason(long, NOW)).toContain('to end it.');
  });
});

describe('the line to try a token with', () => {
  it('hands the token to curl where neither the history nor ps sees it', async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization, request.url);
      response.end('{"user_id":"@alice:example.org"}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const line = tryItLine(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const shell = execFile('bash', ['-c', line]);
    shell.stdin?.end('mwt_7F3K9Q_abc\n');
    const out = shell.stdout === null ? '' : (await shell.stdout.toArray()).join('');
    server.close();
    expect(seen).toEqual(['Bearer mwt_7F3K9Q_abc', '/_matrix/client/v3/account/whoami']);
    expect(out).toContain('@alice:example.org');
  });
});
