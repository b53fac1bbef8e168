import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Permission } from '../../src/domain/permission.ts';
import type { GrantId, RoomId } from '../../src/domain/ids.ts';
import type { Gateway } from '../../src/gateway/server.ts';
import { type GrantDesk, grantDesk } from '../gateway/support/grant-desk.ts';
import { memoryTransactions } from '../gateway/support/memory-transactions.ts';
import { startTestGateway } from '../gateway/support/test-gateway.ts';
import { botSdkHolder } from '../harness/holder-bot-sdk.ts';
import { editOf, type Held, type HolderClient } from '../harness/holder-client.ts';
import { jsSdkHolder } from '../harness/holder-js-sdk.ts';
import { nioHolder } from '../harness/holder-nio.ts';
import { matrixRequest } from '../harness/matrix-http.ts';
import { type Person, registerPerson, roomPath, V3 } from './support/person.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import { subjectView, type SubjectNews } from './support/subject-view.ts';
import { silentLog } from '../support/silent-log.ts';
import { addGrant } from './support/scoped-gateway.ts';
import { realTime } from '../support/wait.ts';

const PNG = Uint8Array.from(
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
);
type OpenClient = (held: Held) => HolderClient | Promise<HolderClient>;
/** With what is refused them at start, which all of them tolerate. */
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
const WRITER: readonly Permission[] = ['read', 'send', 'react', 'edit', 'redact', 'upload'];

type Event = {
  event_id: string;
  type: string;
  sender: string;
  content: Record<string, unknown>;
  unsigned?: Record<string, unknown>;
};
type Logged = { operation: string; status: number; grant: string | null };

let alice: Person;
let bob: Person;
let ops: RoomId;
let secret: RoomId;
let image: string;
let hidden: string;
let desk: GrantDesk;
let gateway: Gateway;
let grants = 0;
const log: Logged[] = [];
const transactions = memoryTransactions();

async function open(port: number): Promise<void> {
  gateway = await startTestGateway({
    listen: { host: '127.0.0.1', port },
    homeserverUrl: sharedSynapse().baseUrl,
    accessControl: desk,
    transactions,
    log: { ...silentLog, info: (_, details) => void log.push(details as unknown as Logged) },
    limits: { writesAtOnce: 1_000 },
  });
}

/** A grant of its own, and what a holder of it is told. */
function held(can: readonly Permission[]): Held & { grantId: GrantId } {
  const grantId = `CLNT${String(++grants).padStart(2, '2')}` as GrantId;
  const token = `mwt_${grantId}_scoped`;
  addGrant(desk, { token, id: grantId, subject: alice.userId, rooms: [ops], scope: { can } });
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
  alice = await registerPerson(synapse, 'alice');
  bob = await registerPerson(synapse, 'bob');
  ops = await bob.createRoom({ name: 'Ops' }, alice);
  secret = await bob.createRoom({ name: 'Secret' }, alice);
  image = await bob.upload(PNG, 'image/png');
  hidden = await bob.upload(PNG, 'image/png');
  await bob.send(ops, 'm.room.message', { msgtype: 'm.image', body: 'a picture', url: image });
  await bob.send(secret, 'm.room.message', { msgtype: 'm.image', body: 'a picture', url: hidden });
  desk = grantDesk(await alice.upstreamToken());
  await open(0);
});

afterAll(() => gateway.close());

describe.each(CLIENTS)('%s', (name, openClient, missing) => {
  test('with a token that reads: it starts, reads, and goes on where it is refused', async () => {
    const { grantId, ...given } = held(['read']);
    const hello = await bob.say(ops, `hello ${name}`);
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

    await bob.say(secret, `hidden from ${name}`);
    const later = await bob.say(ops, `later for ${name}`);
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
    const hello = await bob.say(ops, 'hello writer');
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
    const edited = await client.edit(ops, said, 'fixed');
    const edit = await written();
    expect(edit.event_id).toBe(edited);
    expect(edit.content).toEqual(editOf(said, 'fixed'));
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
    expect(
      await alice.request<Event>('GET', roomPath(ops, `event/${encodeURIComponent(sent)}`)),
    ).toMatchObject({
      content: { body: `a script of ${name}` },
    });
    await expect(client.download(image)).rejects.toThrow(/capability media/);
    await expect(client.members(ops)).rejects.toThrow(/capability read|knows no room/);
    // What others ask before they send: see attacks/encryption.test.ts for all that is not told.
    const asking = matrixRequest(given.baseUrl, 'GET', roomPath(ops, 'state/m.room.encryption'), {
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
  const seen = await bob.say(secret, 'to be read');
  await alice.request('POST', roomPath(secret, 'read_markers'), { 'm.fully_read': seen, 'm.read': seen });
  await alice.request('PUT', `${V3}/user/${encodeURIComponent(alice.userId)}/account_data/test.own`, {
    mine: true,
  });
  await alice.request('PUT', `${V3}/pushrules/global/content/x`, { pattern: 'x', actions: [] });
  await alice.request('PUT', `${V3}/devices/${alice.deviceId}`, { display_name: 'renamed' });
  const { rest, changed } = await news();
  for (const what of [`${secret} account_data`, `${secret} ephemeral`, 'test.own', 'm.push_rules'])
    expect(JSON.stringify(rest)).toContain(what);
  expect(changed).toEqual(['pushrules/', 'devices']);
});

test('all of them go on when the service is restarted, and stop when the token is revoked, without a storm of retries', async () => {
  const tokens = CLIENTS.map(() => held(WRITER));
  await using atEnd = new AsyncDisposableStack();
  const clients = await Promise.all(
    CLIENTS.map(async ([, openClient], at) => atEnd.use(await openClient(tokens[at] as Held))),
  );
  await Promise.all(clients.map((client) => client.start()));
  const { port } = gateway;
  await gateway.close();
  await bob.say(ops, 'while it was away');
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
  // What is counted is how much real clients, with timers of their own, ask in this time.
  await realTime(3_000);
  for (const { grantId } of tokens) {
    const last = log.slice(before).filter(({ grant }) => grant === grantId);
    expect(last.length).toBeLessThanOrEqual(LAST_REQUESTS);
    expect(new Set(last.map(({ status }) => status))).toEqual(new Set([401]));
  }
  for (const client of clients)
    await expect(client.say(ops, 'must not be')).rejects.toThrow(/M_UNKNOWN_TOKEN|not valid/);
}, 60_000);
