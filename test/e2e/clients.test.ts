import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Allowance } from '../../src/domain/allowance.ts';
import type { GrantId, RoomId, UserId } from '../../src/domain/ids.ts';
import { type Gateway, startGateway } from '../../src/gateway/server.ts';
import { type GrantDesk, grantDesk } from '../gateway/support/grant-desk.ts';
import { grantOf } from '../gateway/support/grants.ts';
import { memoryTransactions } from '../gateway/support/memory-transactions.ts';
import { botSdkHolder } from '../harness/holder-bot-sdk.ts';
import { editOf, type Held, type HolderClient } from '../harness/holder-client.ts';
import { jsSdkHolder } from '../harness/holder-js-sdk.ts';
import { nioHolder } from '../harness/holder-nio.ts';
import { matrixRequest } from '../harness/matrix-http.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import type { TestUser } from '../harness/synapse-users.ts';
import { subjectView, type SubjectNews } from './support/subject-view.ts';

const V3 = '/_matrix/client/v3';
const PNG = Uint8Array.from(
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
);
type OpenClient = (held: Held) => HolderClient | Promise<HolderClient>;
/** With what is not there for them at start, which all of them take. */
const CLIENTS: readonly (readonly [name: string, open: OpenClient, missing: readonly string[]])[] = [
  ['matrix-js-sdk', jsSdkHolder, ['404 getRtcTransports']],
  ['matrix-bot-sdk', botSdkHolder, ['404 getAccountData']],
  ['matrix-nio', nioHolder, []],
];
/** What a client may ask until its first sync is in. */
const START_REQUESTS = 8;
/**
 * What a client may ask within 3 s of its token's end: the sync that was open, and one that is told at once.
 */
const LAST_REQUESTS = 3;
const WRITER: readonly Allowance[] = ['read', 'send', 'react', 'edit', 'redact', 'upload'];

type Event = {
  event_id: string;
  type: string;
  sender: string;
  content: Record<string, unknown>;
  unsigned?: Record<string, unknown>;
};
type Logged = { operation: string; status: number; grant: string | null };

let alice: TestUser;
let bob: TestUser;
let ops: RoomId;
let secret: RoomId;
let image: string;
let hidden: string;
let desk: GrantDesk;
let gateway: Gateway;
let grants = 0;
const log: Logged[] = [];
const transactions = memoryTransactions();
const nothing = () => undefined;

const inRoom = (room: string, below: string) => `${V3}/rooms/${encodeURIComponent(room)}/${below}`;
const direct = <T>(user: TestUser, method: string, path: string, body?: unknown) =>
  matrixRequest<T>(sharedSynapse().baseUrl, method, path, {
    token: user.accessToken,
    ...(body === undefined ? {} : { body }),
  });
const post = async (user: TestUser, room: string, content: unknown) =>
  (
    await direct<{ event_id: string }>(
      user,
      'PUT',
      inRoom(room, `send/m.room.message/${Math.random()}`),
      content,
    )
  ).event_id;
const say = (user: TestUser, room: string, body: string) => post(user, room, { msgtype: 'm.text', body });

async function upload(user: TestUser): Promise<string> {
  const headers = { authorization: `Bearer ${user.accessToken}`, 'content-type': 'image/png' };
  const answer = await fetch(`${sharedSynapse().baseUrl}/_matrix/media/v3/upload`, {
    method: 'POST',
    headers,
    body: PNG,
  });
  return ((await answer.json()) as { content_uri: string }).content_uri;
}

async function open(port: number): Promise<void> {
  gateway = await startGateway({
    listen: { host: '127.0.0.1', port },
    homeserverUrl: sharedSynapse().baseUrl,
    publicUrl: 'http://127.0.0.1',
    access: desk,
    sentence: () => 'a sentence',
    transactions,
    clock: { now: () => Date.now() },
    log: {
      debug: nothing,
      warn: nothing,
      error: nothing,
      info: (_, details) => void log.push(details as unknown as Logged),
    },
    limits: { writesAtOnce: 1_000 },
  });
}

/** A grant of its own, and what a holder of it is told. */
function held(can: readonly Allowance[]): Held & { grantId: GrantId } {
  const grantId = `CLNT${String(++grants).padStart(2, '2')}` as GrantId;
  const token = `mwt_${grantId}_scoped`;
  const grant = grantOf([ops], {
    id: grantId,
    subject: alice.userId as UserId,
    scope: { v: 1, rooms: [ops], can },
  });
  desk.add(token, { grant, rooms: new Set([ops]) });
  return { baseUrl: `http://127.0.0.1:${gateway.port}`, token, userId: alice.userId, grantId };
}

/** What a grant's requests came to, that were not let through. */
const requests = (grantId: GrantId) => log.filter(({ grant }) => grant === grantId);
const refusals = (grantId: GrantId) =>
  requests(grantId).flatMap(({ operation, status }) => (status < 400 ? [] : [`${status} ${operation}`]));

beforeAll(async () => {
  // Matrix-js-sdk has loggers that nobody can hand it another for.
  for (const level of ['debug', 'info', 'log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockReturnValue();
  const synapse = sharedSynapse();
  alice = await synapse.uniqueUser('alice');
  bob = await synapse.uniqueUser('bob');
  const made = await Promise.all(
    ['Ops', 'Secret'].map((name) =>
      direct<{ room_id: RoomId }>(bob, 'POST', `${V3}/createRoom`, { name, invite: [alice.userId] }),
    ),
  );
  [ops, secret] = made.map(({ room_id: room }) => room) as [RoomId, RoomId];
  for (const room of [ops, secret]) await direct(alice, 'POST', `${V3}/join/${encodeURIComponent(room)}`, {});
  image = await upload(bob);
  hidden = await upload(bob);
  await post(bob, ops, { msgtype: 'm.image', body: 'a picture', url: image });
  await post(bob, secret, { msgtype: 'm.image', body: 'a picture', url: hidden });
  const path = `/_synapse/admin/v1/users/${encodeURIComponent(alice.userId)}/login`;
  const minted = await matrixRequest<{ access_token: string }>(synapse.baseUrl, 'POST', path, {
    token: synapse.adminToken,
    body: {},
  });
  desk = grantDesk(minted.access_token);
  await open(0);
});

afterAll(() => gateway.close());

describe.each(CLIENTS)('%s', (name, openClient, missing) => {
  test('with a token that reads: it starts, reads, and goes on where it is refused', async () => {
    const { grantId, ...given } = held(['read']);
    const hello = await say(bob, ops, `hello ${name}`);
    const changed = await subjectView(sharedSynapse().baseUrl, alice);
    await using client = await openClient(given);
    await client.start();
    expect(refusals(grantId)).toEqual(missing);
    expect(requests(grantId).length).toBeLessThanOrEqual(START_REQUESTS);
    expect(await client.rooms()).toEqual([ops]);
    await client.join(ops);
    expect(await client.nameOf(ops)).toBe('Ops');
    expect((await client.members(ops)).toSorted()).toEqual([alice.userId, bob.userId].toSorted());
    expect(await client.heard(ops)).toContain(`hello ${name}`);
    expect(await client.history(ops, hello)).toContain(`hello ${name}`);
    expect(await client.download(image)).toEqual(PNG);
    expect(refusals(grantId)).toEqual(missing);

    await expect(client.download(hidden)).rejects.toThrow(/M_FORBIDDEN/);
    await expect(client.say(ops, 'must not be')).rejects.toThrow(/capability send/);
    await expect(client.reply(ops, hello, 'must not be')).rejects.toThrow(/capability send/);
    await expect(client.edit(ops, hello, 'must not be')).rejects.toThrow(/capability send/);
    await expect(client.react(ops, hello, 'x')).rejects.toThrow(/capability react/);
    await expect(client.redact(ops, hello)).rejects.toThrow(/capability redact/);
    await expect(client.upload(PNG, 'image/png')).rejects.toThrow(/capability upload/);
    await client.typing(ops);
    await client.markRead(ops, hello);

    await say(bob, secret, `hidden from ${name}`);
    const later = await say(bob, ops, `later for ${name}`);
    await expect.poll(() => client.heard(ops), { timeout: 10_000 }).toContain(`later for ${name}`);
    expect(await client.rooms()).toEqual([ops]);
    expect(refusals(grantId)).toHaveLength(missing.length + 7);
    const told = await changed();
    const [elsewhere] = told.events[secret] as [Event];
    expect(elsewhere.content['body']).toBe(`hidden from ${name}`);
    expect(told).toEqual({
      events: { [secret]: [elsewhere], [ops]: [expect.objectContaining({ event_id: later })] },
      rest: {},
      changed: [],
    });
  });

  test('with a token that writes: all it writes is seen by the subject, and nothing else', async () => {
    const given = held(WRITER);
    const hello = await say(bob, ops, 'hello writer');
    await using client = await openClient(given);
    await client.start();
    const news = await subjectView(sharedSynapse().baseUrl, alice);
    const written = async (): Promise<Event> => {
      const seen: SubjectNews = await news();
      expect({ ...seen, events: Object.keys(seen.events) }).toEqual({ events: [ops], rest: {}, changed: [] });
      expect(seen.events[ops]).toHaveLength(1);
      const [event] = seen.events[ops] as [Event];
      expect(event.sender).toBe(alice.userId);
      return event;
    };

    const said = await client.say(ops, `from ${name}`);
    expect(await written()).toMatchObject({
      event_id: said,
      type: 'm.room.message',
      content: { msgtype: 'm.text', body: `from ${name}` },
    });
    await expect.poll(() => client.heard(ops), { timeout: 10_000 }).toContain(`from ${name}`);
    const replied = await client.reply(ops, hello, 'a reply');
    expect(await written()).toMatchObject({
      event_id: replied,
      content: { 'm.relates_to': { 'm.in_reply_to': { event_id: hello } } },
    });
    const reacted = await client.react(ops, hello, '👍');
    const relation = { rel_type: 'm.annotation', event_id: hello, key: '👍' };
    const reaction = await written();
    expect(reaction).toMatchObject({ event_id: reacted, type: 'm.reaction' });
    expect(reaction.content).toEqual({ 'm.relates_to': relation });
    const edited = await client.edit(ops, said, 'mended');
    const edit = await written();
    expect(edit.event_id).toBe(edited);
    expect(edit.content).toEqual(editOf(said, 'mended'));
    await client.redact(ops, replied);
    expect(await written()).toMatchObject({ type: 'm.room.redaction', content: { redacts: replied } });

    const mxc = await client.upload(PNG, 'image/png');
    expect(await client.download(mxc)).toEqual(PNG);
    await client.typing(ops);
    await client.markRead(ops, said);
    expect(await news()).toEqual({ events: {}, rest: {}, changed: [] });
    const own = await fetch(`${sharedSynapse().baseUrl}/_matrix/client/v1/media/download/${mxc.slice(6)}`, {
      headers: { authorization: `Bearer ${alice.accessToken}` },
    });
    expect(new Uint8Array(await own.arrayBuffer())).toEqual(PNG);
    expect(own.headers.get('content-disposition') ?? '').not.toContain('picture');
    await expect(client.react(ops, hello, '👍')).rejects.toThrow(/has reacted so already/);
    await expect(client.edit(ops, hello, 'not its own')).rejects.toThrow(/does not allow/);
    await expect(client.redact(ops, hello)).rejects.toThrow(/does not allow|redact-others/);
    await expect(client.say(secret, 'must not be')).rejects.toThrow(/does not allow/);
    expect(await news()).toEqual({ events: {}, rest: {}, changed: [] });
  });

  test('with a token that only sends: a script does, and a client starts', async () => {
    const given = held(['send']);
    await using client = await openClient(given);
    const sent = await client.say(ops, `a script of ${name}`);
    expect(await direct<Event>(alice, 'GET', inRoom(ops, `event/${encodeURIComponent(sent)}`))).toMatchObject(
      {
        content: { body: `a script of ${name}` },
      },
    );
    await expect(client.download(image)).rejects.toThrow(/capability media/);
    await expect(client.members(ops)).rejects.toThrow(/capability read|knows no room/);
    // What others ask before they send: see attacks/encryption.test.ts for all that is not told.
    const asking = matrixRequest(given.baseUrl, 'GET', inRoom(ops, 'state/m.room.encryption'), {
      token: given.token,
    });
    await expect(asking).rejects.toMatchObject({ status: 404, errcode: 'M_NOT_FOUND' });
    await client.start();
    await client.say(ops, `${name} has started`);
    await expect(client.say(secret, 'must not be')).rejects.toThrow(/does not allow/);
  });
});

test('what the subject’s own client would notice is noticed', async () => {
  const news = await subjectView(sharedSynapse().baseUrl, alice);
  const seen = await say(bob, secret, 'to be read');
  await direct(alice, 'POST', inRoom(secret, 'read_markers'), { 'm.fully_read': seen, 'm.read': seen });
  await direct(alice, 'PUT', `${V3}/user/${encodeURIComponent(alice.userId)}/account_data/test.own`, {
    mine: true,
  });
  await direct(alice, 'PUT', `${V3}/pushrules/global/content/x`, { pattern: 'x', actions: [] });
  await direct(alice, 'PUT', `${V3}/devices/${alice.deviceId}`, { display_name: 'renamed' });
  const { rest, changed } = await news();
  for (const what of [`${secret} account_data`, `${secret} ephemeral`, 'test.own', 'm.push_rules'])
    expect(JSON.stringify(rest)).toContain(what);
  expect(changed).toEqual(['pushrules/', 'devices']);
});

test('all of them go on when the service is started anew, and stop when the token is revoked, without a storm', async () => {
  const tokens = CLIENTS.map(() => held(WRITER));
  await using atEnd = new AsyncDisposableStack();
  const clients = await Promise.all(
    CLIENTS.map(async ([, openClient], at) => atEnd.use(await openClient(tokens[at] as Held))),
  );
  await Promise.all(clients.map((client) => client.start()));
  const { port } = gateway;
  await gateway.close();
  await say(bob, ops, 'while it was away');
  await open(port);
  const eachOf = (check: (client: HolderClient) => Promise<void>) => Promise.all(clients.map(check));
  const hear = (text: string) =>
    eachOf(async (client) => {
      await expect.poll(() => client.heard(ops), { timeout: 25_000, message: client.name }).toContain(text);
    });
  await hear('while it was away');
  for (const client of clients) await client.say(ops, `${client.name} is here`);
  await hear('matrix-nio is here');

  const before = log.length;
  for (const { grantId } of tokens) desk.end(grantId);
  await eachOf(async (client) => {
    await expect.poll(() => client.ended(), { timeout: 2_000, message: client.name }).not.toBeNull();
  });
  await sleep(3_000);
  for (const { grantId } of tokens) {
    const last = log.slice(before).filter(({ grant }) => grant === grantId);
    expect(last.length).toBeLessThanOrEqual(LAST_REQUESTS);
    expect(new Set(last.map(({ status }) => status))).toEqual(new Set([401]));
  }
  for (const client of clients)
    await expect(client.say(ops, 'must not be')).rejects.toThrow(/M_UNKNOWN_TOKEN|not valid/);
}, 60_000);
