import { describe, expect, it } from 'vitest';
import type { RoomAlias, RoomId, UserId } from '../../src/domain/ids.ts';
import type { MintRequest } from '../../src/lifecycle/requests.ts';
import { mint } from '../../src/lifecycle/mint/mint.ts';
import { planMint } from '../../src/lifecycle/mint/plan-mint.ts';
import { Service } from './support/harness.ts';
import { ADMIN, ALICE, BOT, CONTROL, ISSUER, LOBBY, OPS } from './support/homeserver.ts';

const user = (name: string) => `@${name}` as UserId;
const room = (id: string) => ({ kind: 'id', roomId: id as RoomId }) as const;
const NOTICES = '!notices:example.org' as RoomId;
const DM = '!dm-alice:example.org' as RoomId;

type Case = readonly [
  string,
  Partial<MintRequest>,
  (service: Service) => void,
  { code: string; text: RegExp },
];
const nothing = () => undefined;

const refused: readonly Case[] = [
  [
    'networks, where every request comes from the proxy',
    { limits: { from: ['127.0.0.1/32'] } },
    (service) => {
      service.services = { ...service.services, seesAddresses: false };
    },
    { code: 'refused-by-policy', text: /--from cannot be kept here.*gateway\.trusted_proxies/ },
  ],
  [
    'an unknown subject',
    { subject: user('nobody:example.org') },
    nothing,
    { code: 'subject-unusable', text: /no user @nobody/ },
  ],
  [
    'a remote subject',
    { subject: user('alice:elsewhere.org') },
    nothing,
    { code: 'subject-unusable', text: /not a user of this homeserver/ },
  ],
  [
    'a deactivated subject',
    {},
    ({ homeserver }) => homeserver.change(ALICE, { deactivated: true }),
    { code: 'subject-unusable', text: /deactivated/ },
  ],
  [
    'a locked subject',
    {},
    ({ homeserver }) => homeserver.change(ALICE, { locked: true }),
    { code: 'subject-unusable', text: /locked/ },
  ],
  [
    'a server administrator',
    {},
    ({ homeserver }) => homeserver.change(ALICE, { admin: true }),
    { code: 'refused-by-policy', text: /test user.*policy\.privileged_subjects/ },
  ],
  [
    'the minter',
    { subject: ADMIN },
    nothing,
    { code: 'refused-by-policy', text: /test user.*policy\.privileged_subjects/ },
  ],
  ['the bot', { subject: BOT }, nothing, { code: 'refused-by-policy', text: /own/ }],
  [
    'the issuer account, whatever policy says',
    { subject: ISSUER },
    (service) => {
      service.policy = { ...service.policy, privilegedSubjects: [ISSUER] };
    },
    { code: 'refused-by-policy', text: /own/ },
  ],
  [
    'a protected subject',
    {},
    (service) => {
      service.policy = { ...service.policy, protectedSubjects: [ALICE] };
    },
    { code: 'refused-by-policy', text: /protected/ },
  ],
  [
    'the control room',
    { rooms: [room(CONTROL)] },
    ({ homeserver }) => homeserver.change(ALICE, { joinedRooms: [CONTROL, OPS] }),
    { code: 'room-unusable', text: /!control:example\.org is outside every scope.*control room/ },
  ],
  [
    'a room the control room replaced',
    { rooms: [room('!old-control:example.org')] },
    nothing,
    { code: 'room-unusable', text: /outside every scope/ },
  ],
  [
    'the subject’s notices room',
    { rooms: [room(NOTICES)] },
    ({ homeserver }) => homeserver.change(ALICE, { joinedRooms: [NOTICES], noticesRoom: NOTICES }),
    { code: 'room-unusable', text: /outside every scope/ },
  ],
  [
    'a DM of the bot',
    { rooms: [room(OPS), room(DM)] },
    nothing,
    { code: 'room-unusable', text: /!dm-alice:example\.org is outside every scope/ },
  ],
  [
    'a room the subject is not in',
    { rooms: [room('!secret:example.org')] },
    nothing,
    { code: 'room-unusable', text: /not in !secret/ },
  ],
  [
    'a room the subject is not in, where the token could only leave it',
    { rooms: [room('!secret:example.org')], can: ['read', 'leave'] },
    nothing,
    { code: 'room-unusable', text: /--can join/ },
  ],
  [
    'an invite to the control room',
    { rooms: [room(CONTROL)], can: ['join'] },
    nothing,
    { code: 'room-unusable', text: /outside every scope/ },
  ],
  [
    'an invite to a DM of the bot',
    { rooms: [room(DM)], can: ['join', 'leave'] },
    nothing,
    { code: 'room-unusable', text: /outside every scope/ },
  ],
  [
    'an invite to where server notices come',
    { rooms: [room('!notices-alice')], can: ['join', 'leave'] },
    nothing,
    { code: 'room-unusable', text: /outside every scope.*server notices/ },
  ],
  [
    'a room the homeserver does not know, where the token could join it',
    { rooms: [room('!no:example.org')], can: ['join'] },
    nothing,
    { code: 'room-unusable', text: /does not know/ },
  ],
  [
    'an alias that leads nowhere',
    { rooms: [{ kind: 'alias', alias: '#no:example.org' as RoomAlias }] },
    nothing,
    { code: 'room-unusable', text: /leads to no room/ },
  ],
  [
    'a prefix of nothing',
    { rooms: [{ kind: 'prefix', text: '!zzz' }] },
    nothing,
    { code: 'room-unusable', text: /begins with !zzz/ },
  ],
  [
    'a prefix of two rooms',
    { rooms: [{ kind: 'prefix', text: '!' }] },
    nothing,
    { code: 'ambiguous', text: /!ops.*!lobby/ },
  ],
  [
    'a lifetime past the maximum',
    { ttlMs: 25 * 3_600_000 },
    nothing,
    { code: 'refused-by-policy', text: /--ttl 1d or less/ },
  ],
  [
    'a missing reason',
    { reason: '  ' },
    (service) => {
      service.policy = { ...service.policy, reasonRequired: true };
    },
    { code: 'refused-by-policy', text: /--reason/ },
  ],
  ['no rooms at all', { rooms: [] }, nothing, { code: 'usage', text: /--rooms/ }],
  [
    'a subject who could not be told',
    {},
    ({ homeserver }) => homeserver.change(ALICE, { ignoresBot: true }),
    { code: 'subject-unreachable', text: /could not be told/ },
  ],
  [
    'a subject who blocks invitations',
    {},
    ({ homeserver }) => homeserver.change(ALICE, { invites: 'block' }),
    {
      code: 'subject-unreachable',
      text: /M_INVITE_BLOCKED.*could not be told.*allow invitations.*server notices/,
    },
  ],
  [
    'a subject whose settings ignore invitations',
    {},
    ({ homeserver }) => homeserver.change(ALICE, { invites: 'ignore' }),
    { code: 'subject-unreachable', text: /never see one.*could not be told/ },
  ],
  [
    'a subject who has not taken an invitation, and blocks them now',
    {},
    ({ homeserver }) => {
      homeserver.change(ALICE, { invites: 'block' });
      homeserver.dms.set(ALICE, { roomId: DM, encrypted: true, membership: 'invite', justTheTwo: true });
    },
    { code: 'subject-unreachable', text: /M_INVITE_BLOCKED/ },
  ],
  [
    'a subject who refuses both the bot and server notices',
    {},
    ({ homeserver }) => {
      homeserver.change(ALICE, { ignoresBot: true, refusesNotices: true });
      homeserver.serverNotices = true;
    },
    { code: 'subject-unreachable', text: /ignores this bot, and refuses server notices too/ },
  ],
  [
    'a recipient who blocks invitations',
    {},
    ({ homeserver }) => homeserver.change(ADMIN, { invites: 'block' }),
    { code: 'recipient-unusable', text: /M_INVITE_BLOCKED.*could not reach them.*--to/ },
  ],
  [
    'a recipient whose settings ignore invitations',
    {},
    ({ homeserver }) => homeserver.change(ADMIN, { invites: 'ignore' }),
    { code: 'recipient-unusable', text: /never see one/ },
  ],
  [
    'a recipient who ignores the bot, though they are in its DM',
    {},
    ({ homeserver }) => {
      homeserver.change(ADMIN, { ignoresBot: true });
      homeserver.dms.set(ADMIN, { roomId: DM, encrypted: true, membership: 'join', justTheTwo: true });
    },
    { code: 'recipient-unusable', text: /ignores this bot/ },
  ],
  [
    'a subject who is to get the token, can be told by server notice, and blocks invitations',
    { recipient: ALICE },
    ({ homeserver }) => {
      homeserver.change(ALICE, { invites: 'block' });
      homeserver.serverNotices = true;
    },
    { code: 'recipient-unusable', text: /M_INVITE_BLOCKED/ },
  ],
  [
    'an unknown recipient',
    { recipient: user('nobody:example.org') },
    nothing,
    { code: 'recipient-unusable', text: /no user @nobody/ },
  ],
  [
    'a deactivated recipient',
    {},
    ({ homeserver }) => homeserver.change(ADMIN, { deactivated: true }),
    { code: 'recipient-unusable', text: /is deactivated/ },
  ],
  [
    'a locked recipient',
    {},
    ({ homeserver }) => homeserver.change(ADMIN, { locked: true }),
    { code: 'recipient-unusable', text: /is locked/ },
  ],
  [
    'a recipient without a signed device',
    {},
    ({ homeserver }) => homeserver.setKeys(ADMIN, { signedDevices: 0 }),
    { code: 'recipient-unusable', text: /no verified session/ },
  ],
  [
    'a recipient without cross-signing',
    { recipient: ALICE },
    ({ homeserver }) => homeserver.setKeys(ALICE, { masterKey: null }),
    { code: 'recipient-unusable', text: /no verified session/ },
  ],
  [
    'a remote recipient',
    { recipient: user('bob:elsewhere.org') },
    nothing,
    { code: 'recipient-unusable', text: /not a user of this homeserver/ },
  ],
  ['the bot as recipient', { recipient: BOT }, nothing, { code: 'recipient-unusable', text: /own/ }],
  ['an operator without --to', { minter: 'operator:root' }, nothing, { code: 'usage', text: /--to/ }],
  [
    'a homeserver that is down',
    {},
    ({ homeserver }) => {
      homeserver.fault = (call) => (call === 'subject' ? 'lost' : null);
    },
    { code: 'homeserver-unreachable', text: /./ },
  ],
];

describe('a mint is refused for', () => {
  it.each(refused)('%s, with nothing done', async (_name, fields, prepare, expected) => {
    await using service = await Service.start();
    await service.ledger.commit({ at: 1, excluded: [{ roomId: DM, why: 'dm', userId: ALICE }] });
    prepare(service);
    const error: unknown = await mint(service.services, service.request(fields)).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ name: 'MintwardenError', code: expected.code });
    const { message, hint: next } = error as { message: string; hint: string | null };
    expect(`${message} ${next ?? ''}`).toMatch(expected.text);
    if (expected.code !== 'homeserver-unreachable') expect(next).not.toBeNull();
    expect(service.homeserver.calls).not.toContain('issue');
    expect((await service.ledger.counts()).grantsEver).toBe(0);
  });

  it('a recipient whose identity is not the one first seen', async () => {
    await using service = await Service.start();
    await service.ledger.commit({ at: 1, pins: [{ userId: ADMIN, masterKey: 'another', at: 1 }] });
    await expect(service.mint()).rejects.toMatchObject({ code: 'recipient-unusable' });
  });

  it('one grant more than policy allows, overall', async () => {
    await using service = await Service.start();
    service.policy = { ...service.policy, maxLiveGrants: 1 };
    await service.mint();
    await expect(service.mint()).rejects.toMatchObject({ code: 'refused-by-policy' });
  });
});

describe('a plan', () => {
  it('resolves aliases and prefixes, names each room once, and says what is known of it', async () => {
    await using service = await Service.start();
    const rooms = [
      { kind: 'alias', alias: '#ops:example.org' as RoomAlias },
      { kind: 'prefix', text: '!lob' },
      { kind: 'id', roomId: OPS },
    ] as const;
    const { grant } = await planMint(service.services, service.request({ rooms, ttlMs: null }));
    expect(grant.scope).toEqual({ v: 1, rooms: [OPS, LOBBY], can: ['read'] });
    expect(grant.rooms.map((facts) => facts.encrypted)).toEqual([true, false]);
    expect(grant.ttlMs).toBe(service.policy.defaultTtlMs);
    expect(service.homeserver.calls).not.toContain('issue');
  });

  it.each(['join', 'knock'] as const)(
    'takes a room the subject is not in, where the token may %s',
    async (capability) => {
      await using service = await Service.start();
      service.homeserver.change(ALICE, { joinedRooms: [] });
      const { grant } = await planMint(
        service.services,
        service.request({ rooms: [room(OPS)], can: [capability] }),
      );
      expect(grant.scope).toEqual({ v: 1, rooms: [OPS], can: [capability] });
    },
  );

  it('takes a privileged subject that policy names', async () => {
    await using service = await Service.start();
    service.homeserver.change(ALICE, { admin: true });
    service.policy = { ...service.policy, privilegedSubjects: [ALICE] };
    await expect(planMint(service.services, service.request())).resolves.toMatchObject({
      grant: { subject: ALICE },
    });
  });

  it.each(['block', 'ignore'] as const)(
    'needs no invitation to a DM that is joined (%s)',
    async (invites) => {
      await using service = await Service.start();
      for (const userId of [ALICE, ADMIN]) {
        service.homeserver.change(userId, { invites });
        const roomId = `!dm-${userId.slice(1)}` as RoomId;
        service.homeserver.dms.set(userId, { roomId, encrypted: true, membership: 'join', justTheTwo: true });
      }
      const { id } = await service.mint();
      await service.drain();
      expect(await service.messageOf(id, 'notice')).toMatchObject({
        state: 'accepted',
        channel: 'encrypted',
      });
      expect(service.tokensSeen()).toHaveLength(1);
    },
  );

  it('takes a subject who blocks invitations where there are server notices, and tells by one', async () => {
    await using service = await Service.start();
    service.homeserver.change(ALICE, { invites: 'block' });
    service.homeserver.serverNotices = true;
    const { id } = await service.mint();
    await service.drain();
    expect(await service.messageOf(id, 'notice')).toMatchObject({
      state: 'accepted',
      channel: 'server-notice',
    });
  });

  it('takes a subject who ignores the bot where there are server notices', async () => {
    await using service = await Service.start();
    service.homeserver.change(ALICE, { ignoresBot: true });
    service.homeserver.serverNotices = true;
    await expect(planMint(service.services, service.request())).resolves.toBeDefined();
  });
});
