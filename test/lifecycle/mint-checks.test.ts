import { describe, expect, it } from 'vitest';
import type { Operator, RoomId, UserId } from '../../src/domain/ids.ts';
import { needsRenewal } from '../../src/lifecycle/access/renew-lease.ts';
import { refuseDuringLockdown } from '../../src/lifecycle/lockdown.ts';
import { checkRecipientKeys, resolveRecipient } from '../../src/lifecycle/mint/mint-recipient.ts';
import { checkRoom, excludedRooms, resolveRoom } from '../../src/lifecycle/mint/mint-rooms.ts';
import { checkSubjectName } from '../../src/lifecycle/mint/mint-subject.ts';
import type { Services } from '../../src/lifecycle/services.ts';
import { buildPolicy } from '../support/grants.ts';
import { ADMIN, ALICE, BOT, ISSUER, LOBBY, OPS } from './support/homeserver.ts';

const ROOT: Operator = 'operator:root';
const refused = (code: string, text: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(text) });

describe('who may be spoken for', () => {
  const services = {
    directory: { serverName: 'example.org' },
    ownAccounts: [BOT, ISSUER],
  } as unknown as Services;
  const check =
    (subject: UserId, policy = {}) =>
    () =>
      checkSubjectName(services, buildPolicy({ admins: [ADMIN], ...policy }), subject);

  it('is nobody who may mint, unless policy names them', () => {
    expect(check(ADMIN)).toThrow(refused('refused-by-policy', /may mint tokens/));
    expect(check(ADMIN, { privilegedSubjects: [ALICE] })).toThrow(
      refused('refused-by-policy', /may mint tokens/),
    );
    expect(check(ADMIN, { privilegedSubjects: [ADMIN] })).not.toThrow();
    expect(check(ALICE)).not.toThrow();
    expect(check(ALICE, { privilegedSubjects: [ALICE] })).not.toThrow();
  });

  it('is none of our own accounts, nobody from elsewhere, nobody protected, whatever else policy says', () => {
    for (const own of [BOT, ISSUER])
      expect(check(own, { privilegedSubjects: [own] })).toThrow(
        refused('refused-by-policy', /account of Mintwarden/),
      );
    expect(check('@alice:elsewhere.org' as UserId)).toThrow(
      refused('subject-unusable', /not a user of this/),
    );
    const both = { protectedSubjects: [ALICE], privilegedSubjects: [ALICE] };
    expect(check(ALICE, both)).toThrow(refused('refused-by-policy', /protected/));
  });
});

describe('who gets the token', () => {
  const who =
    (minter: UserId | Operator, recipient: UserId | null, intoFile?: true, ownAccounts = [ISSUER]) =>
    () =>
      resolveRecipient(
        {
          directory: { serverName: 'example.org' },
          ownAccounts,
          chat: { userId: BOT },
        } as unknown as Services,
        { minter, recipient, ...(intoFile === undefined ? {} : { intoFile }) } as never,
      );
  it('is who was named, or the minter; an operator only by a file', () => {
    expect(who(ADMIN, null)()).toBe(ADMIN);
    expect(who(ADMIN, ALICE)()).toBe(ALICE);
    expect(who(ROOT, null, true)()).toBe(ROOT);
    expect(who(ROOT, ALICE)()).toBe(ALICE);
    // A file is the operator's alone.
    expect(who(ADMIN, null, true)()).toBe(ADMIN);
    expect(who(ROOT, null)).toThrow(refused('usage', /no chat/));
  });
  it('is never the bot, the issuer or somebody elsewhere', () => {
    for (const own of [BOT, ISSUER]) expect(who(ADMIN, own)).toThrow(refused('recipient-unusable', /own/));
    expect(who(ADMIN, '@bob:elsewhere.org' as UserId)).toThrow(refused('recipient-unusable', /do not leave/));
  });

  const keys = { devices: 1, signedDevices: 1, masterKey: 'M', isReplaced: false };
  const pin = { userId: ADMIN, masterKey: 'M', at: 0 };
  it.each([
    [{}, pin, null],
    [{}, null, null],
    [{ isReplaced: true }, null, /another cryptographic identity/],
    [{ isReplaced: true }, pin, /another cryptographic identity/],
    [{ masterKey: 'N' }, pin, /another cryptographic identity/],
    [{ masterKey: null }, pin, /no verified session/],
    [{ masterKey: null }, null, /no verified session/],
    [{ signedDevices: 0 }, pin, /no verified session/],
  ])('has keys that fit: %j', (fields, known, why) => {
    const check = () => checkRecipientKeys(ADMIN, { ...keys, ...fields }, known);
    if (why === null) expect(check).not.toThrow();
    else expect(check).toThrow(refused('recipient-unusable', why));
  });
});

describe('which rooms', () => {
  const [DM, CONTROL, NOTICES] = ['!dm:x', '!control:x', '!notices:x'] as [RoomId, RoomId, RoomId];
  it('are outside: what is written down, the DMs, the control room and its predecessors, server notices', () => {
    const dm = { roomId: DM, encrypted: true, membership: 'join', justTheTwo: true } as const;
    const outside = excludedRooms([{ roomId: OPS, why: 'dm', userId: ALICE }], {
      control: [CONTROL],
      dms: [null, dm],
      noticesRoom: NOTICES,
    });
    expect(Object.fromEntries(outside)).toEqual({
      [OPS]: 'dm',
      [DM]: 'dm',
      [CONTROL]: 'control',
      [NOTICES]: 'server-notices',
    });
    expect(excludedRooms([], { control: [], dms: [], noticesRoom: null }).size).toBe(0);
  });

  const resolve = (text: string, joined: readonly RoomId[]) =>
    resolveRoom({ kind: 'prefix', text }, ALICE, joined, { resolveAlias: async () => null });
  it('a beginning means: the one room of the subject’s that begins so', async () => {
    expect(await resolve('!op', [OPS, LOBBY])).toBe(OPS);
    expect(await resolve('op', [OPS, LOBBY])).toBe(OPS);
    await expect(resolve('!x', [OPS])).rejects.toMatchObject({ code: 'room-unusable' });
    const many = Array.from({ length: 7 }, (_, index) => `!r${index}:x` as RoomId);
    await expect(resolve('!r', many)).rejects.toMatchObject({
      code: 'ambiguous',
      message: '!r could be !r0:x, !r1:x, !r2:x, !r3:x, !r4:x and 2 more.',
    });
    await expect(resolve('!r', many.slice(0, 5))).rejects.toMatchObject({
      message: '!r could be !r0:x, !r1:x, !r2:x, !r3:x, !r4:x.',
    });
    expect(await resolve('!r', ['!r', '!r0'] as RoomId[])).toBe('!r');
  });

  it('may be named: the subject’s own, or those that may be entered; never one outside', () => {
    const check = (outside: ReadonlyMap<RoomId, 'dm'>, joined: readonly RoomId[], mayEnter: boolean) => () =>
      checkRoom(OPS, ALICE, new Set(joined), outside, mayEnter);
    expect(check(new Map(), [OPS], false)).not.toThrow();
    expect(check(new Map(), [], true)).not.toThrow();
    expect(check(new Map(), [], false)).toThrow(refused('room-unusable', /is not in/));
    expect(check(new Map([[OPS, 'dm']]), [OPS], true)).toThrow(
      refused('room-unusable', /outside every scope/),
    );
  });
});

describe('while nothing may be made', () => {
  it('it is said why, and what an operator does about an old copy', () => {
    expect(() => refuseDuringLockdown(() => null)).not.toThrow();
    expect(() => refuseDuringLockdown(() => ({ kind: 'old-copy' }))).toThrow(
      expect.objectContaining({
        code: 'not-allowed',
        message: expect.stringMatching(/old copy.*Only what takes power away/),
        hint: expect.stringContaining('mintwarden recover'),
      }),
    );
  });
});

it('a lease is renewed at the edge of its margin, and at its end where the grant ends with it', () => {
  const lease = { createdAt: 0, validUntil: 3_600_000 };
  const margin = 360_000;
  expect(needsRenewal(lease, { expiresAt: 9e9 }, 3_600_000 - margin - 1)).toBe(false);
  expect(needsRenewal(lease, { expiresAt: 9e9 }, 3_600_000 - margin)).toBe(true);
  expect(needsRenewal(lease, { expiresAt: 3_600_000 }, 3_599_999)).toBe(false);
  expect(needsRenewal(lease, { expiresAt: 3_600_000 }, 3_600_000)).toBe(true);
});
