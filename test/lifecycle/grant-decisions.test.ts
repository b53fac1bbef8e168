import { describe, expect, it } from 'vitest';
import { markEnded, markFailed, markLive } from '../../src/domain/grant.ts';
import type { EventId, MessageId, Operator, UserId } from '../../src/domain/ids.ts';
import type { Message } from '../../src/domain/message.ts';
import { decideMinted, decideMintFailed, decideRequested } from '../../src/lifecycle/mint/mint-decisions.ts';
import { noticeChannel, tokenObstacle } from '../../src/lifecycle/notifications/delivery-decision.ts';
import { decideAccepted, decideFailedTry } from '../../src/lifecycle/notifications/outbox-rows.ts';
import { decideEnd, type EndRequest } from '../../src/lifecycle/revocation/end-decision.ts';
import {
  aliveLease,
  askingLease,
  killingLease,
  orphanLease,
  refusedLease,
} from '../../src/lifecycle/rows/lease-row.ts';
import {
  abandonMessage,
  newMessage,
  REPORT_LIFE_MS,
  reviseMessage,
} from '../../src/lifecycle/rows/message-row.ts';
import { refusesBot } from '../../src/lifecycle/subjects/refuses-bot.ts';
import { decideSubjectSeen, isGone } from '../../src/lifecycle/subjects/subject-decision.ts';
import { buildGrant, buildMessage } from '../support/grants.ts';
import { ADMIN, ALICE, OPS } from './support/homeserver.ts';

// Whole changes are compared: what is written beside the rows (the audit, the news) is as much a promise.

const HOUR = 3_600_000;
const MINUTE = 60_000;
const command = '$mint' as EventId;
const minting = buildGrant({
  state: 'minting',
  createdAt: 0,
  expiresAt: 2 * HOUR,
  command,
  reason: 'why',
  revision: 1,
});
const live = { ...minting, state: 'live' as const };
const asking = askingLease('l1' as never, minting.id, ALICE, 0, HOUR);
const ids = () => {
  let count = 0;
  return { lease: () => 'lease' as never, message: () => `m${++count}` as MessageId };
};
const audit = (action: string, actor: string, at: number, data: object, by: EventId | null = null) => ({
  at,
  actor,
  action,
  grantId: minting.id,
  subject: ALICE,
  command: by,
  data,
});
const told = (
  id: string,
  at: number,
  to: Message['to'],
  body: Message['body'],
  more: Partial<Message> = {},
) => ({
  ...newMessage({ id: id as MessageId, grantId: minting.id, to, body, at }),
  ...more,
});
const control = (replyTo: EventId | null) => ({ kind: 'control', replyTo }) as const;
const dm = (userId: UserId, replyTo: EventId | null = null) => ({ kind: 'dm', userId, replyTo }) as const;

describe('a mint', () => {
  it('is written down before the homeserver is asked', () => {
    const data = {
      recipient: ADMIN,
      rooms: [OPS],
      can: ['read'],
      reason: 'why',
      ttlMs: HOUR,
      expiresAt: 2 * HOUR,
      lease: 'l1',
      leaseUntil: HOUR,
    };
    const key = { eventId: command, sender: ADMIN, sessionId: null, messageIndex: null, at: 0 };
    expect(decideRequested(minting, asking, key)).toEqual({
      at: 0,
      command: key,
      grants: [minting],
      leases: [asking],
      audit: [audit('mint-requested', ADMIN, 0, data, command)],
    });
    const all = { ...minting, scope: { ...minting.scope, rooms: 'all' as const } };
    const change = decideRequested(all, asking, null);
    expect(change).not.toHaveProperty('command');
    expect(change.audit).toEqual([audit('mint-requested', ADMIN, 0, { ...data, rooms: 'all' })]);
  });

  it.each([
    [30 * MINUTE, 5 + 30 * MINUTE],
    [5 * HOUR, 2 * HOUR],
  ])('that was made is told, the subject before the token goes out (%i)', (deliverWithinMs, giveUpAt) => {
    const made = { sealed: 'sealed', recipientJoined: true, deliverWithinMs };
    expect(decideMinted(minting, asking, made, 5, ids())).toEqual({
      at: 5,
      grants: [markLive(minting)],
      leases: [aliveLease(asking, 'sealed')],
      messages: [
        told('m1', 5, control(command), { kind: 'minted', recipientJoined: true }),
        told('m2', 5, dm(ALICE), { kind: 'notice' }, { giveUpAt }),
        told('m3', 5, dm(ADMIN), { kind: 'token' }, { after: 'm2' as MessageId, giveUpAt }),
      ],
      audit: [audit('minted', 'system', 5, { lease: 'l1', leaseUntil: HOUR })],
    });
  });

  it('for an operator’s file sends no token, and looks at it when nobody took it', () => {
    const grant = { ...minting, recipient: 'operator:root' as Operator, command: null };
    const made = { sealed: 'sealed', recipientJoined: false, deliverWithinMs: MINUTE };
    const [minted, , token] = decideMinted(grant, asking, made, 5, ids()).messages ?? [];
    expect(minted?.to).toEqual(control(null));
    expect(token).toMatchObject({ to: { kind: 'operator' }, giveUpAt: 5 + MINUTE, nextActionAt: 5 + MINUTE });
  });

  it.each([
    ['may have left something alive', asking, true, HOUR, orphanLease(asking, 'P'), 'lease-orphaned'],
    ['left nothing', asking, false, null, refusedLease(asking, 'P'), 'lease-failed'],
    ['had no lease', null, true, null, null, null],
    ['has an answer already', orphanLease(asking, 'x'), true, null, null, null],
  ])('that came to nothing and %s', (_, lease, mayExist, orphanUntil, after, action) => {
    const failure = { sentence: 'S', next: 'N', mayExist, problem: 'P' };
    expect(decideMintFailed(minting, lease, failure, 5, ids())).toEqual({
      at: 5,
      grants: [markFailed(minting, 'S', 5)],
      ...(after === null ? {} : { leases: [after] }),
      messages: [
        told('m1', 5, control(command), { kind: 'mint-failed', sentence: 'S', next: 'N', orphanUntil }),
      ],
      audit: [
        audit('mint-failed', 'system', 5, { problem: 'P' }),
        ...(action === null ? [] : [audit(action, 'system', 5, { lease: 'l1', until: HOUR })]),
      ],
    });
  });
});

describe('an end', () => {
  const key = { eventId: '$revoke' as EventId, sender: ADMIN, sessionId: null, messageIndex: null, at: 9 };
  const asked = (fields: Partial<EndRequest>): EndRequest => ({
    cause: 'expired',
    by: 'system',
    asked: 'nobody',
    command: null,
    ...fields,
  });
  const alive = aliveLease(asking, 'sealed');
  const notice = buildMessage({
    id: 'notice' as MessageId,
    grantId: minting.id,
    to: dm(ALICE),
    createdAt: 0,
  });
  const token = { ...notice, id: 'token' as MessageId, body: { kind: 'token' } as const };
  const heard = { ...notice, state: 'accepted' as const, acceptedAt: 3 };
  const tried = { ...notice, firstTriedAt: 3 };
  const ended = (cause: EndRequest['cause'], by: EndRequest['by'] = 'system') =>
    ({ kind: 'ended-notice', cause, by }) as const;

  it('by a command logs out, tells the subject and answers, in one change', () =>
    expect(
      decideEnd(
        { grant: live, leases: [alive], messages: [heard] },
        asked({ cause: 'revoked', by: ADMIN, asked: 'control', command: key }),
        9,
        ids(),
      ),
    ).toEqual({
      at: 9,
      command: key,
      grants: [markEnded(live, 'revoked', ADMIN, 9)],
      leases: [killingLease(alive, 9)],
      messages: [
        told('m1', 9, dm(ALICE), ended('revoked', ADMIN)),
        told('m2', 9, control('$revoke' as EventId), { kind: 'revoked', upstream: 'killing' }),
      ],
      audit: [audit('revoked', ADMIN, 9, { cause: 'revoked', upstream: 'killing' }, '$revoke' as EventId)],
    }));

  it('by the subject answers where they asked, and reports; they are told nothing else', () =>
    expect(
      decideEnd(
        { grant: live, leases: [], messages: [heard] },
        asked({ cause: 'ended-by-subject', by: ALICE, asked: 'subject', command: { ...key, sender: ALICE } }),
        9,
        ids(),
      ).messages,
    ).toEqual([
      told('m1', 9, dm(ALICE, '$revoke' as EventId), { kind: 'revoked-by-subject' }),
      told('m2', 9, control(null), { kind: 'ended-report', cause: 'ended-by-subject', by: ALICE }),
    ]));

  it.each([
    ['expired', 'expired'],
    ['revoked', 'revoked'],
    ['ended-by-subject', 'revoked'],
    ['undelivered', 'ended'],
    ['withdrawn', 'ended'],
  ] as const)('%s is audited as %s', (cause, action) => {
    const change = decideEnd({ grant: live, leases: [], messages: [] }, asked({ cause }), 9, ids());
    expect(change).not.toHaveProperty('command');
    expect(change.audit).toEqual([audit(action, 'system', 9, { cause, upstream: 'dead' })]);
  });

  it.each([
    ['asking', asking, 'killing', 0],
    ['killing', killingLease(alive, 1), 'killing', 0],
    ['alive', alive, 'killing', 1],
    ['orphan', orphanLease(asking, 'x'), 'dead', 0],
  ] as const)('with a lease that is %s', (_, lease, upstream, killed) => {
    const change = decideEnd({ grant: live, leases: [lease], messages: [] }, asked({}), 9, ids());
    expect(change.leases).toHaveLength(killed);
    expect(change.audit).toEqual([audit('expired', 'system', 9, { cause: 'expired', upstream })]);
  });

  it('before the homeserver answered fails the mint too', () =>
    expect(
      decideEnd({ grant: minting, leases: [], messages: [] }, asked({}), 9, ids()).messages,
    ).toMatchObject([
      { to: control(command), body: { kind: 'mint-failed', orphanUntil: null, next: null } },
      { to: control(null), body: { kind: 'ended-report' } },
    ]));

  it.each<[string, Message[], EndRequest['cause'], Partial<Message>[]]>([
    ['that never heard of it is not told', [notice], 'expired', [abandonMessage(notice)]],
    ['that has no notice is not told', [], 'expired', []],
    [
      'that may have heard is told after that',
      [tried],
      'expired',
      [reviseMessage(tried, { giveUpAt: 9 + REPORT_LIFE_MS }), { body: ended('expired'), after: tried.id }],
    ],
    [
      'that could not be told of the beginning is told of the end, if that was tried',
      [tried],
      'untold',
      [abandonMessage(tried), { body: ended('untold'), after: null }],
    ],
    ['that is gone is not told', [tried], 'subject-gone', [abandonMessage(tried)]],
    ['that heard and is gone is not told', [heard], 'subject-gone', []],
    ['that heard is told at once', [heard], 'expired', [{ body: ended('expired'), after: null }]],
  ])('to a subject %s', (_, messages, cause, made) => {
    const change = decideEnd({ grant: live, leases: [], messages }, asked({ cause }), 9, ids());
    const others = change.messages?.filter(({ to }) => to.kind !== 'control') ?? [];
    expect(others).toHaveLength(made.length);
    expect(others).toMatchObject(made);
  });

  it.each<[string, Partial<Message>, Partial<Message> | null]>([
    ['waits is stopped', {}, { state: 'abandoned', nextActionAt: null }],
    [
      'may have arrived is looked for, and redacted',
      { firstTriedAt: 3, attempts: 4 },
      { state: 'abandoned', redactAt: 9, attempts: 0, nextActionAt: 9 + MINUTE },
    ],
    [
      'was sent is redacted now',
      { state: 'accepted', attempts: 4, firstTriedAt: 3 },
      { state: 'accepted', redactAt: 9, attempts: 0, nextActionAt: 9 },
    ],
    ['is redacted already stays so', { state: 'accepted', redactedAt: 4 }, null],
    ['was given up stays so', { state: 'abandoned' }, null],
  ])('a token that %s', (_, before, after) => {
    const row = { ...token, ...before };
    const messages =
      decideEnd({ grant: live, leases: [], messages: [row] }, asked({}), 9, ids()).messages ?? [];
    expect(messages.filter(({ id }) => id === token.id)).toEqual(
      after === null ? [] : [reviseMessage(row, after)],
    );
  });

  it('stops the news of a delivery that waits, unless it may have been told', () => {
    const waiting = told('w', 1, control(null), {
      kind: 'delivery-waiting',
      why: 'not-joined',
      giveUpAt: HOUR,
    });
    const stopped = (row: Message) =>
      decideEnd({ grant: live, leases: [], messages: [row] }, asked({}), 9, ids()).messages?.filter(
        ({ id }) => id === waiting.id,
      );
    expect(stopped(waiting)).toEqual([abandonMessage(waiting)]);
    expect(stopped({ ...waiting, firstTriedAt: 3 })).toEqual([]);
    expect(stopped({ ...waiting, state: 'accepted' })).toEqual([]);
    const other = told('w', 1, control(null), { kind: 'minted', recipientJoined: true });
    expect(stopped(other)).toEqual([]);
  });
});

describe('a message', () => {
  const notice = buildMessage({ grantId: live.id, giveUpAt: HOUR, nextActionAt: 1 });
  const event = { eventId: '$e' as EventId, roomId: null, channel: 'plain' } as const;

  it('that was accepted is written down, a notice in the audit', () => {
    const accepted = { ...event, state: 'accepted', acceptedAt: 9, attempts: 0, lastProblem: null } as const;
    expect(decideAccepted({ ...notice, attempts: 3, lastProblem: 'P' }, live, event, MINUTE, 9)).toEqual({
      at: 9,
      messages: [reviseMessage(notice, { ...accepted, redactAt: null, nextActionAt: null })],
      audit: [audit('noticed', 'system', 9, { channel: 'plain' })],
    });
    expect(decideAccepted(notice, null, event, MINUTE, 9)?.audit).toEqual([]);
    const minted = { ...notice, body: { kind: 'minted', recipientJoined: true } as const };
    expect(decideAccepted(minted, live, event, MINUTE, 9)?.audit).toEqual([]);
    expect(decideAccepted({ ...notice, state: 'accepted' }, live, event, MINUTE, 9)).toBeNull();
  });

  it.each([
    ['in time', live, {}, 9 + MINUTE, false],
    ['when its grant was over', { ...live, state: 'ended' as const }, {}, 9, true],
    ['when it had been stopped', live, { state: 'abandoned' as const }, 9, true],
  ])('a token that was accepted %s', (_, grant, before, redactAt, afterEnd) => {
    const token = { ...notice, body: { kind: 'token' } as const, ...before };
    const sealed = { ...grant, sealedToken: 'sealed' };
    const change = decideAccepted(token, sealed, event, MINUTE, 9);
    expect(change?.messages).toMatchObject([{ state: 'accepted', redactAt, nextActionAt: redactAt }]);
    expect(change?.grants).toMatchObject([{ sealedToken: null, delivery: 'sent' }]);
    expect(change?.audit).toEqual([audit('delivered', 'system', 9, { recipient: ADMIN, afterEnd })]);
    expect(decideAccepted(token, { ...grant, sealedToken: null }, event, MINUTE, 9)?.grants).toEqual([]);
  });

  it.each<[string, Partial<Message>, number, number | null]>([
    ['is tried again', {}, 9, 9 + MINUTE],
    ['is tried no later than it is given up', { giveUpAt: 20 }, 9, 20],
    ['is given up at once when that has passed', { giveUpAt: 5 }, 9, 9],
    ['is tried again without an end where it has none', { giveUpAt: null }, 9, 9 + MINUTE],
    ['is redacted for a day', { state: 'accepted', redactAt: 0 }, 24 * HOUR, 24 * HOUR + MINUTE],
    ['is redacted no longer', { state: 'accepted', redactAt: 0 }, 24 * HOUR + 1, null],
    ['is redacted though it does not say when', { state: 'accepted', redactAt: null }, 9, 9 + MINUTE],
  ])('that failed %s', (_, before, now, nextActionAt) => {
    const row = { ...notice, ...before, attempts: 1 };
    expect(decideFailedTry(row, 'P', MINUTE, now)).toEqual({
      at: now,
      messages: [reviseMessage(row, { attempts: 2, lastProblem: 'P', nextActionAt })],
    });
  });
});

describe('the way to a person', () => {
  const keys = { devices: 1, signedDevices: 1, masterKey: 'M', isReplaced: false };
  const room = { roomId: OPS, encrypted: true, membership: 'join', justTheTwo: true } as const;
  const pin = { userId: ADMIN, masterKey: 'M', at: 0 };
  it.each([
    [{}, {}, pin, null],
    [{}, {}, null, null],
    [{}, { isReplaced: true }, null, 'identity-changed'],
    [{}, { masterKey: 'N' }, pin, 'identity-changed'],
    [{}, { masterKey: 'N' }, null, null],
    [{}, { masterKey: null }, pin, 'no-signed-device'],
    [{}, { signedDevices: 0 }, pin, 'no-signed-device'],
    [{ encrypted: false }, {}, pin, 'room-unsafe'],
    [{ membership: 'invite' as const }, {}, pin, 'not-joined'],
    [{ justTheTwo: false }, {}, pin, 'room-unsafe'],
  ])('for a token: %j %j', (dmFields, keyFields, known, why) =>
    expect(tokenObstacle({ ...room, ...dmFields }, { ...keys, ...keyFields }, known)).toBe(why),
  );

  it.each([
    [false, 1, true, 'encrypted-dm'],
    [false, 1, false, 'encrypted-dm'],
    [false, 0, true, 'server-notice'],
    [false, 0, false, 'plain-dm'],
    [true, 1, true, 'server-notice'],
    [true, 0, true, 'server-notice'],
    [true, 1, false, null],
    [true, 0, false, null],
  ] as const)(
    'for a notice: refuses %j, %i devices, notices reach %j',
    (refuses, devices, noticesReach, way) =>
      expect(noticeChannel({ refusesBot: refuses, devices, noticesReach })).toBe(way),
  );

  it.each([
    [{ ignoresBot: true, invites: 'allow' }, 'join', 'ignored'],
    [{ ignoresBot: false, invites: 'block' }, 'join', null],
    [{ ignoresBot: false, invites: 'block' }, 'invite', 'invites-blocked'],
    [{ ignoresBot: false, invites: 'ignore' }, 'leave', 'invites-ignored'],
    [{ ignoresBot: false, invites: 'allow' }, 'none', null],
  ] as const)('by their settings: %j, %s', (facts, membership, why) => {
    expect(refusesBot(facts, { membership })).toBe(why);
    if (membership !== 'join') expect(refusesBot(facts, null)).toBe(why);
  });
});

describe('a look at the subject', () => {
  const facts = {
    userId: ALICE,
    deactivated: false,
    locked: false,
    admin: false,
    joinedRooms: [],
    noticesRoom: null,
    ignoresBot: false,
    invites: 'allow',
    refusesNotices: false,
  } as const;
  const excluded = [{ roomId: OPS, why: 'server-notices', userId: ALICE }] as const;

  it('changes nothing where nothing has changed', () => {
    expect(decideSubjectSeen(live, facts, [], 9, ids())).toBeNull();
    expect(
      decideSubjectSeen({ ...live, suspended: true }, { ...facts, locked: true }, [], 9, ids()),
    ).toBeNull();
    expect(
      decideSubjectSeen({ ...live, state: 'ended' }, { ...facts, locked: true }, [], 9, ids()),
    ).toBeNull();
    expect(decideSubjectSeen(live, { ...facts, noticesRoom: OPS }, excluded, 9, ids())).toBeNull();
  });

  it.each([
    [true, 'suspended'],
    [false, 'resumed'],
  ])('suspends and resumes, and says so (locked: %j)', (locked, action) => {
    const grant = { ...live, suspended: !locked };
    expect(decideSubjectSeen(grant, { ...facts, locked }, [], 9, ids())).toEqual({
      at: 9,
      grants: [{ ...grant, suspended: locked, revision: grant.revision + 1 }],
      messages: [told('m1', 9, control(null), { kind: 'suspended', on: locked })],
      excluded: [],
      audit: [audit(action, 'system', 9, {})],
    });
  });

  it('closes the room of server notices', () =>
    expect(decideSubjectSeen(live, { ...facts, noticesRoom: OPS }, [], 9, ids())).toEqual({
      at: 9,
      grants: [],
      messages: [],
      excluded,
      audit: [audit('room-excluded', 'system', 9, { room: OPS, why: 'server-notices' })],
    }));

  it('tells whether there is nobody left', () => {
    expect([isGone(null), isGone(facts), isGone({ ...facts, deactivated: true })]).toEqual([
      true,
      false,
      true,
    ]);
    expect(isGone({ ...facts, locked: true })).toBe(false);
  });
});
