import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Permission } from '../../src/domain/permission.ts';
import type { RoomId } from '../../src/domain/ids.ts';
import { type Person, registerPerson, V3 } from './support/person.ts';
import { startSynapse, type Synapse } from '../harness/synapse.ts';
import { type ScopedGateway, startScopedGateway } from './support/scoped-gateway.ts';
import { type SubjectNews, subjectView } from './support/subject-view.ts';

// After each write of a scoped token the subject's own unscoped client sees what was asked, and that nothing
// else of the account has changed: no room, read marker, receipt, account data, push rule, presence, device
// or profile.

const CAN: readonly Permission[] = [
  'read',
  'send',
  'send:org.example.note',
  'react',
  'edit',
  'redact',
  'redact-others',
  'state:org.example.board',
  'invite',
  'kick',
  'ban',
  'unban',
  'upload',
  'receipts',
  'typing',
  'markers',
  'tags',
  'account-data:com.example.*',
  'profile',
  'presence',
];

/** Of its own: the shared one has no presence. */
let synapse: Synapse;
let alice: Person;
let bob: Person;
let carol: Person;
let ops: RoomId;
let secret: RoomId;
let his: string;
let own: string;
let gateway: ScopedGateway;
let news: () => Promise<SubjectNews>;
let txn = 0;

const ask = (method: string, path: string, body?: unknown) => gateway.request(method, V3 + path, body);
const enc = encodeURIComponent;
const inOps = (below: string) => `/rooms/${enc(ops)}/${below}`;
const message = (body: string) => ({ msgtype: 'm.text', body });
const event = (type: string, content: unknown, more: object = {}) =>
  expect.objectContaining({ type, sender: alice.userId, content, ...more }) as unknown;
const told = (type: string, content: unknown) => [{ events: [{ type, content }] }];
const seen = (more: Partial<SubjectNews>): SubjectNews => ({ events: {}, rest: {}, changed: [], ...more });
const inTimeline = (one: unknown) => seen({ events: { [ops]: [one] } });
const member = (membership: string) =>
  inTimeline(event('m.room.member', expect.objectContaining({ membership }), { state_key: carol.userId }));

type Case = readonly [
  what: string,
  method: string,
  path: () => string,
  body: () => unknown,
  expected: () => SubjectNews,
];
const CASES: readonly Case[] = [
  [
    'a message',
    'PUT',
    () => inOps(`send/m.room.message/${++txn}`),
    () => message('hello'),
    () => inTimeline(event('m.room.message', message('hello'))),
  ],
  [
    'an event of a type of one’s own',
    'PUT',
    () => inOps(`send/org.example.note/${++txn}`),
    () => ({ a: { b: [1] } }),
    () => inTimeline(event('org.example.note', { a: { b: [1] } })),
  ],
  [
    'a reaction',
    'PUT',
    () => inOps(`send/m.reaction/${++txn}`),
    () => reaction(),
    () => inTimeline(event('m.reaction', reaction())),
  ],
  [
    'an edit',
    'PUT',
    () => inOps(`send/m.room.message/${++txn}`),
    () => edit(),
    () => inTimeline(event('m.room.message', edit())),
  ],
  [
    'a redaction',
    'PUT',
    () => inOps(`redact/${enc(own)}/${++txn}`),
    () => ({ reason: 'mine' }),
    () => inTimeline(event('m.room.redaction', { redacts: own, reason: 'mine' })),
  ],
  [
    'a redaction of another’s',
    'PUT',
    () => inOps(`redact/${enc(his)}/${++txn}`),
    () => ({}),
    () => inTimeline(event('m.room.redaction', { redacts: his })),
  ],
  [
    'a state event',
    'PUT',
    () => inOps('state/org.example.board/key'),
    () => ({ topic: 'x' }),
    () => inTimeline(event('org.example.board', { topic: 'x' }, { state_key: 'key' })),
  ],
  [
    'an invite',
    'POST',
    () => inOps('invite'),
    () => ({ user_id: carol.userId }),
    () => ({
      ...member('invite'),
      rest: { 'account device_lists': [{ changed: [carol.userId] }], ...presence(carol, 'offline') },
    }),
  ],
  ['a kick', 'POST', () => inOps('kick'), () => ({ user_id: carol.userId }), () => member('leave')],
  ['a ban', 'POST', () => inOps('ban'), () => ({ user_id: carol.userId }), () => member('ban')],
  ['a ban lifted', 'POST', () => inOps('unban'), () => ({ user_id: carol.userId }), () => member('leave')],
  [
    'typing',
    'PUT',
    () => inOps(`typing/${enc(alice.userId)}`),
    () => ({ typing: true, timeout: 30_000 }),
    () => seen({ rest: { [`${ops} ephemeral`]: told('m.typing', { user_ids: [alice.userId] }) } }),
  ],
  [
    'typing stopped',
    'PUT',
    () => inOps(`typing/${enc(alice.userId)}`),
    () => ({ typing: false }),
    () => seen({ rest: { [`${ops} ephemeral`]: told('m.typing', { user_ids: [] }) } }),
  ],
  [
    'a private receipt',
    'POST',
    () => inOps(`receipt/m.read.private/${enc(his)}`),
    () => ({}),
    () => seen({ rest: { [`${ops} ephemeral`]: told('m.receipt', receipt('m.read.private')) } }),
  ],
  [
    'a receipt',
    'POST',
    () => inOps(`receipt/m.read/${enc(his)}`),
    () => ({}),
    () => seen({ rest: { [`${ops} ephemeral`]: told('m.receipt', receipt('m.read')) } }),
  ],
  [
    'a read marker',
    'POST',
    () => inOps('read_markers'),
    () => ({ 'm.fully_read': his }),
    () => seen({ rest: { [`${ops} account_data`]: told('m.fully_read', { event_id: his }) } }),
  ],
  [
    'a tag',
    'PUT',
    () => `/user/${enc(alice.userId)}${inOps('tags/u.work')}`,
    () => ({ order: 0.5 }),
    () => seen({ rest: { [`${ops} account_data`]: told('m.tag', { tags: { 'u.work': { order: 0.5 } } }) } }),
  ],
  [
    'account data',
    'PUT',
    () => `/user/${enc(alice.userId)}/account_data/com.example.x`,
    () => ({ x: 1 }),
    () => seen({ rest: { 'account account_data': told('com.example.x', { x: 1 }) } }),
  ],
  [
    'account data of a room',
    'PUT',
    () => `/user/${enc(alice.userId)}${inOps('account_data/com.example.x')}`,
    () => ({ x: 1 }),
    () => seen({ rest: { [`${ops} account_data`]: told('com.example.x', { x: 1 }) } }),
  ],
  [
    'presence',
    'PUT',
    () => `/presence/${enc(alice.userId)}/status`,
    () => ({ presence: 'unavailable', status_msg: 'away' }),
    () => seen({ rest: presence(alice, 'unavailable'), changed: [`presence/${enc(alice.userId)}/status`] }),
  ],
];

const reaction = () => ({ 'm.relates_to': { rel_type: 'm.annotation', event_id: his, key: '👍' } });
const edit = () => ({
  ...message('* fixed'),
  'm.new_content': message('fixed'),
  'm.relates_to': { rel_type: 'm.replace', event_id: own },
});
const presence = (user: Person, is: string) => {
  const one = {
    type: 'm.presence',
    sender: user.userId,
    content: expect.objectContaining({ presence: is }) as unknown,
  };
  return { 'account presence': [{ events: [one] }] };
};
const receipt = (kind: string) => ({
  [his]: { [kind]: { [alice.userId]: { ts: expect.any(Number) as unknown } } },
});

beforeAll(async () => {
  synapse = await startSynapse({ serverNotices: false, config: { presence: { enabled: true } } });
  alice = await registerPerson(synapse, 'alice');
  bob = await registerPerson(synapse, 'bob');
  carol = await registerPerson(synapse, 'carol');
  ops = await alice.createRoom({ name: 'Ops' }, bob);
  secret = await alice.createRoom({ name: 'Secret' }, bob);
  own = await alice.say(ops, 'mine');
  his = await bob.say(ops, 'his');
  await bob.say(secret, 'hello secret');
  gateway = await startScopedGateway(synapse, alice, { rooms: [ops], scope: { can: CAN } });
  news = await subjectView(synapse.baseUrl, alice);
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await synapse[Symbol.asyncDispose]();
});

test.each(CASES)('%s is all that has changed', async (_, method, path, body, expected) => {
  await ask(method, path(), body());
  expect(await news()).toEqual(expected());
});

test('an idle subject is shown online when something is sent, which is Synapse’s doing', async () => {
  await ask('PUT', inOps(`send/m.room.message/${++txn}`), message('here'));
  expect(await news()).toEqual({
    ...inTimeline(event('m.room.message', message('here'))),
    rest: presence(alice, 'online'),
    changed: [`presence/${enc(alice.userId)}/status`],
  });
});

test('a file is visible nowhere until it is sent', async () => {
  const answer = await gateway.fetch('POST', '/_matrix/media/v3/upload', {
    headers: { 'content-type': 'text/plain' },
    body: 'hello',
  });
  expect(answer.status).toBe(200);
  expect(await news()).toEqual(seen({}));
});

test('a name is told in every room, as the capability says, and by nothing else', async () => {
  await ask('PUT', `/profile/${enc(alice.userId)}/displayname`, { displayname: 'Alice A.' });
  const named = event('m.room.member', expect.objectContaining({ displayname: 'Alice A.' }), {
    state_key: alice.userId,
  });
  const { events, rest, changed } = await news();
  await expect
    .poll(async () => Object.assign(events, (await news()).events))
    .toEqual({ [ops]: [named], [secret]: [named] });
  expect({ rest: Object.keys(rest).filter((section) => section !== 'account presence'), changed }).toEqual({
    rest: [],
    changed: [`profile/${enc(alice.userId)}`],
  });
});
