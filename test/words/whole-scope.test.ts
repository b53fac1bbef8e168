import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CAPABILITY } from '../../src/domain/capability.ts';
import { nameOf } from '../../src/domain/permission.ts';
import type { Scope } from '../../src/domain/scope.ts';
import { inviteReason } from '../../src/words/invite.ts';
import { lineToText } from '../../src/words/render.ts';
import { canSentence, scopeList } from '../../src/words/scope-sentence.ts';
import { plain } from '../domain/support/scopes.ts';
import { grantWith, NOW, OPS } from './sample.ts';

const ops = [{ roomId: OPS, name: 'Ops', encrypted: false }];
const said = (scope: Omit<Scope, 'v' | 'rooms'> & Partial<Scope>) =>
  lineToText(canSentence(grantWith({ scope: { v: 1, rooms: [OPS], ...scope }, rooms: ops })));

describe('the whole of a scope in words', () => {
  it('tells what can be done in rooms, and beyond', () => {
    expect(said({ can: ['read', 'send:m.room.message', 'send:m.sticker', 'react'] })).toMatchInlineSnapshot(
      `"can read 1 room, “Ops” (!ops:example.org); can also send m.room.message and m.sticker and react there"`,
    );
    expect(said({ can: ['send:m.room.message', 'upload'], power: 0 })).toMatchInlineSnapshot(
      `"can send m.room.message in 1 room, “Ops” (!ops:example.org); cannot read; beyond rooms it can upload media; acts with a power level of at most 0"`,
    );
    expect(said({ can: ['read:m.room.message'] })).toMatchInlineSnapshot(
      `"can read m.room.message in 1 room, “Ops” (!ops:example.org); cannot send"`,
    );
    expect(
      said({ can: ['read', 'state:m.room.topic:', 'account-data:com.example.*', 'notifications'] }),
    ).toMatchInlineSnapshot(
      `"can read 1 room, “Ops” (!ops:example.org); can also set state m.room.topic (empty key) there; beyond rooms it can read notifications and read and write the account data com.example.*"`,
    );
    expect(said({ can: ['upload'] })).toMatchInlineSnapshot(
      `"can read nothing; beyond rooms it can upload media"`,
    );
  });

  it('tells every limit', () => {
    expect(
      said({
        rooms: 'all',
        can: ['read', 'send'],
        by: ['@whatsappbot:x.org', '@whatsapp_*:x.org'],
        types: ['m.room.message'],
        power: 50,
        rules: [[{ verdict: 'deny', on: 'PUT /a' }], [{ verdict: 'allow', on: 'GET /**' }]],
        from: ['10.0.0.0/8', '192.0.2.7/32'],
        uses: 5,
      }),
    ).toMatchInlineSnapshot(
      `"can read every room the user is in that @whatsappbot:x.org or @whatsapp_*:x.org made, later ones too (never the control room, Mintwarden's DMs, server notices); of encrypted rooms it sees who and when, not what; can also send messages, stickers, polls and locations there; of what it sends, only m.room.message; acts with a power level of at most 50; endpoints, the first that fits counts: deny PUT /a, let all else be; endpoints, the first that fits counts: allow GET /**, deny all else; only from 10.0.0.0/8 or 192.0.2.7/32; for at most 5 requests"`,
    );
    expect(said({ can: ['read'], from: [], types: [], followUpgrades: true, uses: 1 })).toMatchInlineSnapshot(
      `"can read 1 room, “Ops” (!ops:example.org); of what it sends, nothing; from nowhere; for 1 request; follows a room to the one that replaces it; cannot send"`,
    );
  });

  it('leaves nothing out, whatever the scope', () => {
    fc.assert(
      fc.property(plain, (scope) => {
        const grant = grantWith({ scope, rooms: [] });
        const text = lineToText(canSentence(grant));
        const hasRooms = scope.rooms.length > 0;
        for (const { verb, where } of scope.can.map((each) => CAPABILITY[nameOf(each)])) {
          if (where === 'account' ? !verb.includes('account data') : hasRooms)
            expect(text).toContain(verb.split(' ')[0]);
        }
        if (scope.power !== undefined) expect(text).toContain(`at most ${scope.power}`);
        for (const network of scope.from ?? []) expect(text).toContain(network);
        for (const list of scope.rules ?? [])
          for (const { verdict, on } of list) expect(text).toContain(`${verdict} ${on}`);
        if (scope.uses !== undefined) expect(text).toContain(`${scope.uses} request`);
        if (scope.followUpgrades === true) expect(text).toContain('replaces it');
        if (!scope.can.some((each) => CAPABILITY[nameOf(each)].writes)) expect(text).toContain('cannot send');
      }),
    );
  });

  it('is a list where it is long', () => {
    const long = grantWith({
      scope: { v: 1, rooms: [OPS], can: ['read', 'send', 'upload'], power: 0, uses: 3 },
      rooms: ops,
    });
    expect(scopeList(long, NOW)?.map(lineToText)).toMatchInlineSnapshot(`
      [
        "can read 1 room, “Ops” (!ops:example.org)",
        "can also send messages, stickers, polls and locations there",
        "beyond rooms it can upload media",
        "acts with a power level of at most 0",
        "for at most 3 requests",
        "until 14:05 UTC, in 1 h",
      ]
    `);
    expect(
      scopeList(grantWith({ scope: { v: 1, rooms: [OPS], can: ['read'] }, rooms: ops }), NOW),
    ).toBeNull();
  });

  it('is not made small in the invitation', () => {
    const reason = (can: Scope['can']) =>
      inviteReason(grantWith({ scope: { v: 1, rooms: [OPS], can } }), NOW);
    expect(reason(['read', 'send'])).toContain('can read and write in 1 of your rooms');
    expect(reason(['send'])).toContain('can write in 1 of your rooms');
  });
});
