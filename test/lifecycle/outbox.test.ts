import { describe, expect, it } from 'vitest';
import type { RoomId } from '../../src/domain/ids.ts';
import { deliver, deliverWaitingTo } from '../../src/lifecycle/notifications/deliver.ts';
import { reviseMessage } from '../../src/lifecycle/rows/message-row.ts';
import { Service } from './support/harness.ts';
import { ADMIN, ALICE, CONTROL } from './support/homeserver.ts';
import { settled } from '../support/wait.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const ADMIN_DM = '!dm-admin:example.org' as RoomId;
const dmOfAdmin = { roomId: ADMIN_DM, encrypted: true, membership: 'join', justTheTwo: true } as const;

describe('a notice', () => {
  it('that cannot be sent ends the grant as untold, and no token goes out', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    homeserver.fault = (call) => (call === 'open-dm' ? 'lost' : null);
    const { id } = await service.mint();
    await service.pass(20 * MINUTE);
    expect(await service.grant(id)).toMatchObject({ state: 'ended', endCause: 'untold', sealedToken: null });
    homeserver.fault = () => null;
    await service.pass(HOUR);
    expect(service.tokensSeen()).toEqual([]);
    expect(homeserver.alive()).toEqual([]);
    expect(await service.messageOf(id, 'ended-report')).toMatchObject({
      state: 'accepted',
      body: { cause: 'untold' },
    });
  });

  it('goes by server notice to someone without encryption keys, and its room is outside every scope from then on', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    homeserver.serverNotices = true;
    homeserver.setKeys(ALICE, { devices: 0, signedDevices: 0, masterKey: null });
    const { id } = await service.mint();
    await service.drain();
    expect(await service.messageOf(id, 'notice')).toMatchObject({
      state: 'accepted',
      channel: 'server-notice',
    });
    const noticesRoom = homeserver.people.get(ALICE)?.facts.noticesRoom;
    expect(await service.ledger.excluded()).toContainEqual({
      roomId: noticesRoom,
      why: 'server-notices',
      userId: ALICE,
    });
    expect(service.tokensSeen()).toHaveLength(1);
  });

  it('goes in plain text to someone without keys where there are no server notices', async () => {
    await using service = await Service.start();
    service.homeserver.setKeys(ALICE, { devices: 0, signedDevices: 0, masterKey: null });
    const { id } = await service.mint();
    await service.drain();
    expect(await service.messageOf(id, 'notice')).toMatchObject({ state: 'accepted', channel: 'plain' });
  });

  it('never goes in plain text into a room that is encrypted', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    homeserver.dms.set(ALICE, {
      roomId: '!dm-alice' as RoomId,
      encrypted: true,
      membership: 'join',
      justTheTwo: true,
    });
    homeserver.setKeys(ALICE, { devices: 0, signedDevices: 0, masterKey: null });
    await service.mint();
    await service.drain();
    expect(homeserver.sentTo('!dm-alice' as RoomId)).toMatchObject([{ encrypted: true }]);
  });

  it('reaches someone who ignores the bot by server notice', async () => {
    await using service = await Service.start();
    service.homeserver.serverNotices = true;
    service.homeserver.change(ALICE, { ignoresBot: true });
    const { id } = await service.mint();
    await service.drain();
    expect(await service.messageOf(id, 'notice')).toMatchObject({
      state: 'accepted',
      channel: 'server-notice',
    });
  });

  it.each([{ invites: 'block' }, { invites: 'ignore' }, { ignoresBot: true }] as const)(
    'that could not be seen because of a setting made meanwhile (%o) is not taken for told',
    async (setting) => {
      await using service = await Service.start();
      const { homeserver } = service;
      const { id } = await service.mint();
      homeserver.change(ALICE, setting);
      await service.pass(MINUTE);
      expect(await service.messageOf(id, 'notice')).toMatchObject({
        state: 'waiting',
        lastProblem: expect.stringMatching(/could not be told/),
      });
      expect(homeserver.invites).toEqual([]);
      expect(service.tokensSeen()).toEqual([]);
      await service.pass(HOUR);
      expect(await service.grant(id)).toMatchObject({ state: 'ended', endCause: 'untold' });
      expect(service.tokensSeen()).toEqual([]);
    },
  );

  it('is already in the invite, which names no word of the minter’s', async () => {
    await using service = await Service.start();
    await service.mint({ reason: 'secret reasons' });
    await service.drain();
    expect(service.homeserver.invites[0]).toMatch(/read 1 of your rooms as you/);
    expect(service.homeserver.invites.join(' ')).not.toMatch(/secret reasons/);
  });

  it('makes its room one that is outside every scope, before it is sent', async () => {
    await using service = await Service.start();
    let excluded: readonly RoomId[] = [];
    service.homeserver.during = async (call) => {
      if (call === 'send') excluded = (await service.ledger.excluded()).map((room) => room.roomId);
    };
    await service.mint();
    await service.drain();
    expect(excluded).toEqual(expect.arrayContaining(['!dm-alice:example.org', ADMIN_DM]));
  });
});

describe('a message to the control room that fails', () => {
  it.each([
    [7, 'holds up those behind it, so that they come in their order', false],
    [8, 'again and again holds up nothing any more', true],
  ])('%i times %s', async (attempts, _, passes) => {
    await using service = await Service.start();
    const minted = await service.mint();
    const row = await service.messageOf(minted.id, 'minted');
    if (row === undefined) throw new Error('no reply');
    await service.ledger.commit({
      at: service.clock.at,
      messages: [reviseMessage(row, { attempts, nextActionAt: service.clock.at + HOUR })],
    });
    await service.revoke(minted);
    await service.pass(MINUTE);
    expect((await service.messageOf(minted.id, 'revoked'))?.state).toBe(passes ? 'accepted' : 'waiting');
    await service.pass(2 * HOUR);
    for (const kind of ['minted', 'revoked'] as const)
      expect((await service.messageOf(minted.id, kind))?.state).toBe('accepted');
  });
});

describe('a token', () => {
  const obstacles = [
    ['not joined', { dm: { ...dmOfAdmin, membership: 'invite' as const } }, 'not-joined'],
    ['in a room with a third', { dm: { ...dmOfAdmin, justTheTwo: false } }, 'room-unsafe'],
    ['in a room without encryption', { dm: { ...dmOfAdmin, encrypted: false } }, 'room-unsafe'],
    ['without a signed device', { dm: dmOfAdmin, keys: { signedDevices: 0 } }, 'no-signed-device'],
    [
      'with another identity than first seen',
      { dm: dmOfAdmin, keys: { masterKey: 'of-an-impostor' } },
      'identity-changed',
    ],
    [
      'with an identity that took another’s place',
      { dm: dmOfAdmin, keys: { isReplaced: true } },
      'identity-changed',
    ],
  ] as const;

  it.each(obstacles)(
    'waits for a recipient who is %s, tells it once, and ends undelivered',
    async (_name, change, why) => {
      await using service = await Service.start();
      const { homeserver } = service;
      homeserver.dms.set(ADMIN, dmOfAdmin);
      await service.ledger.commit({
        at: service.clock.at,
        pins: [{ userId: ADMIN, masterKey: `master-of-${ADMIN}`, at: service.clock.at }],
      });
      const { id } = await service.mint();
      homeserver.dms.set(ADMIN, change.dm);
      if ('keys' in change) homeserver.setKeys(ADMIN, change.keys);
      await service.pass(10 * MINUTE);
      expect(service.tokensSeen()).toEqual([]);
      const told = (await service.ledger.messages(id)).filter(
        (message) => message.body.kind === 'delivery-waiting',
      );
      expect(told).toMatchObject([{ state: 'accepted', body: { why } }]);
      expect((await service.grant(id)).sealedToken).not.toBeNull();
      await service.pass(10 * MINUTE);
      expect(await service.grant(id)).toMatchObject({
        state: 'ended',
        endCause: 'undelivered',
        sealedToken: null,
      });
      await service.pass(MINUTE);
      expect(homeserver.alive()).toEqual([]);
    },
  );

  it.each(['block', 'ignore'] as const)(
    'waits for a recipient who lets no invitation through (%s), says so, and is sent once they do',
    async (invites) => {
      await using service = await Service.start();
      const { homeserver } = service;
      const { id } = await service.mint();
      homeserver.change(ADMIN, { invites });
      await service.pass(MINUTE);
      expect(await service.messageOf(id, 'delivery-waiting')).toMatchObject({
        body: { why: 'invite-refused' },
      });
      expect(
        homeserver
          .sentTo(CONTROL)
          .map(({ content }) => content.body)
          .join(),
      ).toMatch(/settings of @admin:example.org refuse invitations/);
      expect(service.tokensSeen()).toEqual([]);
      homeserver.change(ADMIN, { invites: 'allow' });
      await service.pass(MINUTE);
      expect(service.tokensSeen()).toHaveLength(1);
    },
  );

  it('is not told to wait by what the reply has said already', async () => {
    await using service = await Service.start();
    service.homeserver.autoJoin = false;
    const { id } = await service.mint();
    await service.pass(MINUTE);
    expect(await service.messageOf(id, 'minted')).toMatchObject({ body: { recipientJoined: false } });
    expect(await service.messageOf(id, 'delivery-waiting')).toBeUndefined();
  });

  it('goes out when its recipient has joined, at once', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    homeserver.autoJoin = false;
    const { id } = await service.mint();
    await service.drain();
    expect(service.tokensSeen()).toEqual([]);
    homeserver.dms.set(ADMIN, dmOfAdmin);
    await deliverWaitingTo(service.services, ADMIN);
    await service.drain();
    expect(service.tokensSeen()).toHaveLength(1);
    expect((await service.grant(id)).delivery).toBe('sent');
  });

  it('pins the identity it was first encrypted to', async () => {
    await using service = await Service.start();
    await service.mint();
    await service.drain();
    expect(await service.ledger.pin(ADMIN)).toMatchObject({ masterKey: `master-of-${ADMIN}` });
  });

  it('is never sent before the notice was accepted', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    homeserver.dms.set(ADMIN, dmOfAdmin);
    homeserver.fault = (call) => (call === 'open-dm' ? 'lost' : null);
    await service.mint();
    await service.pass(5 * MINUTE);
    expect(homeserver.sentTo(ADMIN_DM)).toEqual([]);
  });

  it('whose acceptance was not seen is in the room once', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    const seen = new Set<number>();
    homeserver.fault = (call) =>
      call === 'send' && !seen.has(homeserver.events.length) && seen.add(homeserver.events.length)
        ? 'unanswered'
        : null;
    await service.mint();
    await service.pass(5 * MINUTE);
    expect(service.tokensSeen()).toHaveLength(1);
    expect(new Set(homeserver.events.map((event) => event.marker)).size).toBe(homeserver.events.length);
  });

  it('is looked for in the room when the homeserver has forgotten the transaction', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    homeserver.fault = (call) => (call === 'send' ? 'unanswered' : null);
    await service.mint();
    await service.drain();
    homeserver.fault = () => null;
    homeserver.forgetTransactions();
    homeserver.deviceId = 'ANOTHER';
    await service.restart();
    await service.pass(5 * MINUTE);
    expect(new Set(homeserver.events.map((event) => event.marker)).size).toBe(homeserver.events.length);
    expect(service.tokensSeen()).toHaveLength(1);
  });

  it('is redacted a set time after it was sent', async () => {
    await using service = await Service.start();
    await service.mint();
    await service.pass(9 * MINUTE);
    expect(service.tokensSeen()).toMatchObject([{ redacted: false }]);
    await service.pass(2 * MINUTE);
    expect(service.tokensSeen()).toMatchObject([{ redacted: true }]);
  });

  it('of a suspended grant waits', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    homeserver.autoJoin = false;
    const { id } = await service.mint();
    await service.drain();
    const grant = await service.grant(id);
    await service.ledger.commit({
      at: service.clock.at,
      grants: [{ ...grant, revision: grant.revision + 1, suspended: true }],
    });
    homeserver.dms.set(ADMIN, dmOfAdmin);
    await service.pass(2 * MINUTE);
    expect(service.tokensSeen()).toEqual([]);
  });
});

describe('!deliver', () => {
  it('of a token that was delivered says how to replace it', async () => {
    await using service = await Service.start();
    const grant = await service.mint();
    await service.drain();
    await expect(deliver(service.services, grant)).rejects.toMatchObject({
      code: 'conflict',
      hint: expect.stringMatching(
        new RegExp(`!revoke ${grant.id} .*!mint @alice:example.org --rooms !ops:example.org`),
      ),
    });
  });

  it('tries at once and says what came of it', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    homeserver.autoJoin = false;
    const grant = await service.mint();
    await service.drain();
    const again = async () => {
      service.clock.at += 1_000;
      const [state] = await Promise.all([
        deliver(service.services, grant, 500),
        service.drain(),
        settled().then(() => service.drain()),
      ]);
      return state;
    };
    expect(await again()).toEqual({ delivery: 'waiting', why: 'not-joined' });
    homeserver.dms.set(ADMIN, dmOfAdmin);
    expect(await again()).toEqual({ delivery: 'sent', why: null });
  });
});

describe('the outbox', () => {
  it('looks for what it sent a day ago before it sends it again', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    homeserver.fault = (call) => (call === 'send' ? 'unanswered' : null);
    await service.mint();
    await service.drain();
    expect(homeserver.sentTo(CONTROL)).toHaveLength(1);
    homeserver.fault = (call) => (call === 'send' ? 'lost' : null);
    service.clock.at += 24 * HOUR;
    homeserver.forgetTransactions();
    homeserver.fault = () => null;
    await service.pass(10 * MINUTE);
    const markers = homeserver.sentTo(CONTROL).map((event) => event.marker);
    expect(new Set(markers).size).toBe(markers.length);
    expect(homeserver.calls).toContain('find');
  });

  it('does not go on telling someone who is gone', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    const grant = await service.mint();
    homeserver.change(ALICE, { deactivated: true });
    await service.pass(MINUTE);
    expect(await service.grant(grant.id)).toMatchObject({ state: 'ended', endCause: 'subject-gone' });
    expect(service.tokensSeen()).toEqual([]);
    expect(
      (await service.ledger.messages(grant.id)).filter((message) => message.state === 'waiting'),
    ).toEqual([]);
  });

  it('keeps the order in the control room while the homeserver fails', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    let left = 4;
    homeserver.fault = (call) => (call === 'send' && left-- > 0 ? 'lost' : null);
    const first = await service.mint();
    await service.drain();
    service.clock.at += 100;
    const second = await service.mint();
    await service.revoke(first);
    await service.pass(5 * MINUTE);
    const order = homeserver.sentTo(CONTROL).map((event) => event.marker);
    const place = async (id: typeof first.id, kind: 'minted' | 'revoked') =>
      order.indexOf((await service.messageOf(id, kind))?.id ?? '');
    expect(await place(first.id, 'minted')).toBeLessThan(await place(second.id, 'minted'));
    expect(await place(first.id, 'minted')).toBeLessThan(await place(first.id, 'revoked'));
  });

  it('is not held up by one message that is always refused', async () => {
    await using service = await Service.start();
    const { homeserver } = service;
    const first = await service.mint();
    const poison = (await service.messageOf(first.id, 'minted'))?.id;
    let current: string | undefined;
    const send = service.services.chat.send.bind(service.services.chat);
    service.services.chat.send = (roomId, content, options) => {
      current = options.marker;
      return send(roomId, content, options);
    };
    homeserver.fault = (call) => (call === 'send' && current === poison ? 'refused' : null);
    service.clock.at += 100;
    const second = await service.mint();
    await service.pass(2 * MINUTE);
    expect(await service.messageOf(second.id, 'minted')).toMatchObject({ state: 'accepted' });
  });
});
