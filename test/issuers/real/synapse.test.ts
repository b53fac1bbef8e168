import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  parseRoomAlias,
  parseUserId,
  type RoomAlias,
  type RoomId,
  type UserId,
} from '../../../src/domain/ids.ts';
import { createSynapse, type Synapse as Adapter } from '../../../src/issuers/synapse/synapse.ts';
import { matrixRequest } from '../../harness/matrix-http.ts';
import { startSynapse, type Synapse } from '../../harness/synapse.ts';
import type { TestUser } from '../../harness/synapse-users.ts';
import { silentLog } from '../../support/silent-log.ts';

const BOT = parseUserId('@bot:test.local') as UserId;

let synapse: Synapse;
let issuerUser: TestUser;
let alice: TestUser;
let adapter: Adapter;

function adapterWith(token: string): Adapter {
  return createSynapse({
    homeserverUrl: synapse.baseUrl,
    serverName: synapse.serverName,
    issuerToken: () => token,
    botUserId: BOT,
    timeoutMs: 10_000,
    log: silentLog,
  });
}
const id = (user: TestUser): UserId => user.userId as UserId;
const whoami = (token: string): Promise<{ user_id: string; device_id?: string }> =>
  matrixRequest(synapse.baseUrl, 'GET', '/_matrix/client/v3/account/whoami', { token });
const asAdmin = (path: string, body: object, method = 'PUT'): Promise<unknown> =>
  matrixRequest(synapse.baseUrl, method, path, { token: issuerUser.accessToken, body });

beforeAll(async () => {
  synapse = await startSynapse({ serverNotices: true });
  issuerUser = await synapse.registerUser('issuer', { admin: true });
  alice = await synapse.registerUser('alice');
  adapter = adapterWith(issuerUser.accessToken);
});
afterAll(async () => {
  await adapter?.close();
  await synapse?.[Symbol.asyncDispose]();
});

async function issue(subject: UserId, ms = 60_000): Promise<string> {
  const issued = await adapter.issuer.issue(subject, Date.now() + ms);
  if (issued.kind !== 'issued') throw new Error(issued.problem);
  return issued.token;
}

describe('issuing and killing', () => {
  test('a token speaks for the subject, without a device, until it is killed; killing twice is dead too', async () => {
    const token = await issue(id(alice));
    expect(await whoami(token)).toEqual({ user_id: alice.userId, is_guest: false });
    expect(await adapter.issuer.kill(token)).toEqual({ kind: 'dead' });
    await expect(whoami(token)).rejects.toMatchObject({ status: 401, errcode: 'M_UNKNOWN_TOKEN' });
    expect(await adapter.issuer.kill(token)).toEqual({ kind: 'dead' });
    expect(await whoami(alice.accessToken)).toMatchObject({ user_id: alice.userId });
  });

  test('a token ends by itself, and can be killed afterwards', async () => {
    const token = await issue(id(alice), 1_500);
    await whoami(token);
    await expect
      .poll(
        () =>
          whoami(token).then(
            () => 'alive',
            (error: { errcode: string }) => error.errcode,
          ),
        { timeout: 5_000 },
      )
      .toBe('M_UNKNOWN_TOKEN');
    expect(await adapter.issuer.kill(token)).toEqual({ kind: 'dead' });
  });

  test("a locked user's token is killed for good: it does not come back with the unlock", async () => {
    const carol = await synapse.uniqueUser('carol');
    const token = await issue(id(carol));
    await asAdmin(`/_synapse/admin/v2/users/${carol.userId}`, { locked: true });
    await expect(whoami(token)).rejects.toMatchObject({ errcode: 'M_USER_LOCKED' });
    expect(await adapter.issuer.kill(token)).toEqual({ kind: 'dead' });
    await asAdmin(`/_synapse/admin/v2/users/${carol.userId}`, { locked: false });
    await expect(whoami(token)).rejects.toMatchObject({ errcode: 'M_UNKNOWN_TOKEN' });
  });

  test('refusals: no such user, a remote user, the issuer itself', async () => {
    const later = Date.now() + 60_000;
    expect(await adapter.issuer.issue('@nobody:test.local' as UserId, later)).toMatchObject({
      kind: 'refused',
      why: 'no-such-user',
    });
    expect(await adapter.issuer.issue('@a:elsewhere.example' as UserId, later)).toMatchObject({
      kind: 'refused',
      why: 'other',
    });
    expect(await adapter.issuer.issue(id(issuerUser), later)).toMatchObject({
      kind: 'refused',
      why: 'other',
    });
  });

  test('refusals: not an admin, logged out', async () => {
    const later = Date.now() + 60_000;
    await using asAlice = adapterWith(alice.accessToken);
    expect(await asAlice.issuer.issue(BOT, later)).toMatchObject({ kind: 'refused', why: 'not-admin' });
    await using asNobody = adapterWith('syt_bm9ib2R5_abcdefabcdefabcdef_000000');
    expect(await asNobody.issuer.issue(id(alice), later)).toMatchObject({
      kind: 'refused',
      why: 'issuer-logged-out',
    });
  });
});

describe('the directory', () => {
  test('a subject: rooms, locked, admin, ignoring the bot, deactivated', async () => {
    const dora = await synapse.uniqueUser('dora');
    expect(await adapter.directory.subject(id(dora))).toEqual({
      userId: dora.userId,
      deactivated: false,
      locked: false,
      admin: false,
      joinedRooms: [],
      noticesRoom: null,
      ignoresBot: false,
      invites: 'allow',
      refusesNotices: false,
    });
    const { room_id: room } = await matrixRequest<{ room_id: string }>(
      synapse.baseUrl,
      'POST',
      '/_matrix/client/v3/createRoom',
      {
        token: dora.accessToken,
        body: {},
      },
    );
    await matrixRequest(
      synapse.baseUrl,
      'PUT',
      `/_matrix/client/v3/user/${dora.userId}/account_data/m.ignored_user_list`,
      {
        token: dora.accessToken,
        body: { ignored_users: { [BOT]: {} } },
      },
    );
    await asAdmin(`/_synapse/admin/v2/users/${dora.userId}`, { locked: true, admin: true });
    expect(await adapter.directory.subject(id(dora))).toMatchObject({
      locked: true,
      admin: true,
      joinedRooms: [room],
      ignoresBot: true,
    });
    await asAdmin(`/_synapse/admin/v2/users/${dora.userId}`, { locked: false, deactivated: true });
    expect(await adapter.directory.subject(id(dora))).toMatchObject({ deactivated: true });
    expect(await adapter.directory.subject('@nobody:test.local' as UserId)).toBeNull();
  });

  test('what a user’s settings make of invitations, and of server notices', async () => {
    const erin = await synapse.registerUser('erin');
    const set = (type: string, body: object) =>
      matrixRequest(synapse.baseUrl, 'PUT', `/_matrix/client/v3/user/${erin.userId}/account_data/${type}`, {
        token: erin.accessToken,
        body,
      });
    const seen = async () => {
      const { invites, ignoresBot, refusesNotices } = (await adapter.directory.subject(id(erin))) ?? {};
      return { invites, ignoresBot, refusesNotices };
    };
    const none = { invites: 'allow', ignoresBot: false, refusesNotices: false };
    expect(await seen()).toEqual(none);
    await set('m.ignored_user_list', { ignored_users: { '@server-notices:test.local': {} } });
    expect(await seen()).toEqual({ ...none, refusesNotices: true });
    await set('m.ignored_user_list', { ignored_users: {} });
    await set('org.matrix.msc4155.invite_permission_config', { ignored_servers: ['test.*'] });
    expect(await seen()).toEqual({ ...none, invites: 'ignore', refusesNotices: true });
    // Synapse lets the account of server notices past a block.
    await set('org.matrix.msc4155.invite_permission_config', { blocked_servers: ['test.*'] });
    expect(await seen()).toEqual({ ...none, invites: 'block' });
    await set('m.invite_permission_config', { default_action: 'allow' });
    expect(await seen()).toEqual(none);
  });

  test('a room with its name and encryption, by id and by alias', async () => {
    const { room_id: room } = await matrixRequest<{ room_id: string }>(
      synapse.baseUrl,
      'POST',
      '/_matrix/client/v3/createRoom',
      {
        token: alice.accessToken,
        body: {
          name: 'Ops / night',
          room_alias_name: 'ops/night',
          initial_state: [
            { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
          ],
        },
      },
    );
    const { room_id: plain } = await matrixRequest<{ room_id: string }>(
      synapse.baseUrl,
      'POST',
      '/_matrix/client/v3/createRoom',
      {
        token: alice.accessToken,
        body: {},
      },
    );
    await expect
      .poll(() => adapter.directory.room(room as RoomId))
      .toEqual({ roomId: room, name: 'Ops / night', encrypted: true });
    expect(await adapter.directory.room(plain as RoomId)).toEqual({
      roomId: plain,
      name: null,
      encrypted: false,
    });
    expect(await adapter.directory.room('!nowhere' as RoomId)).toBeNull();
    expect(await adapter.directory.resolveAlias(parseRoomAlias('#ops/night:test.local') as RoomAlias)).toBe(
      room,
    );
    expect(
      await adapter.directory.resolveAlias(parseRoomAlias('#nowhere:test.local') as RoomAlias),
    ).toBeNull();
  });

  test('server notices: sent once per transaction, and their room is known once the subject has joined it', async () => {
    const erin = await synapse.uniqueUser('erin');
    expect(await adapter.directory.hasServerNotices()).toBe(true);
    const content = { body: 'plain', html: '<b>html</b>' };
    const first = await adapter.directory.sendServerNotice(id(erin), content, 'row/1');
    expect(await adapter.directory.sendServerNotice(id(erin), content, 'row/1')).toEqual(first);

    const { rooms } = await matrixRequest<{ rooms: { invite: Record<string, unknown> } }>(
      synapse.baseUrl,
      'GET',
      '/_matrix/client/v3/sync',
      {
        token: erin.accessToken,
      },
    );
    const [noticesRoom] = Object.keys(rooms.invite);
    expect(await adapter.directory.isNoticesRoom(noticesRoom as RoomId)).toBe(true);
    await matrixRequest(synapse.baseUrl, 'POST', `/_matrix/client/v3/join/${noticesRoom}`, {
      token: erin.accessToken,
      body: {},
    });
    const { room_id: own } = await matrixRequest<{ room_id: string }>(
      synapse.baseUrl,
      'POST',
      '/_matrix/client/v3/createRoom',
      {
        token: erin.accessToken,
        body: { name: 'Server notices' },
      },
    );
    const facts = await adapter.directory.subject(id(erin));
    expect(facts?.noticesRoom).toBe(noticesRoom);
    expect(new Set(facts?.joinedRooms)).toEqual(new Set([noticesRoom, own]));
    await using later = adapterWith(issuerUser.accessToken);
    expect((await later.directory.subject(id(erin)))?.noticesRoom).toBe(noticesRoom);
    expect(await later.directory.isNoticesRoom(own as RoomId)).toBe(false);
  });

  test('a homeserver without server notices says so', async () => {
    await using other = await startSynapse();
    await using asAdmin = createSynapse({
      homeserverUrl: other.baseUrl,
      serverName: other.serverName,
      issuerToken: () => other.adminToken,
      botUserId: BOT,
      timeoutMs: 10_000,
      log: silentLog,
    });
    expect(await asAdmin.directory.hasServerNotices()).toBe(false);
    expect(await asAdmin.directory.subject('@harness-admin:test.local' as UserId)).toMatchObject({
      admin: true,
      noticesRoom: null,
    });
  });
});

describe('the admin API', () => {
  test('what init and doctor look at', async () => {
    const { admin } = adapter;
    expect(await admin.version()).toMatch(/^1\.\d+/);
    expect(await admin.usesAuthenticationService()).toBe(false);
    expect(await admin.hasPasswordLogin()).toBe(true);
    expect(await admin.whoami(alice.accessToken)).toBe(alice.userId);
    expect(await admin.whoami('syt_nobody')).toBeNull();
    expect(await admin.isAdmin()).toBe(true);
    await using asAlice = adapterWith(alice.accessToken);
    expect(await asAlice.admin.isAdmin()).toBe(false);
    expect(Math.abs(((await admin.clock()) ?? 0) - Date.now())).toBeLessThan(5_000);
  });

  test('an account is made as a bot, and its limits are lifted', async () => {
    const { admin } = adapter;
    const made = '@made.by_test:test.local' as UserId;
    expect(await admin.account(made)).toBeNull();
    await admin.makeAccount(made, { password: 'a long password of ours', admin: false, displayName: 'Made' });
    expect(await admin.account(made)).toEqual({
      userId: made,
      admin: false,
      deactivated: false,
      locked: false,
      userType: 'bot',
    });
    expect(await admin.rateLimit(made)).toBeNull();
    await admin.liftRateLimit(made);
    expect(await admin.rateLimit(made)).toEqual({ messagesPerSecond: 0, burstCount: 0 });
  });
});
