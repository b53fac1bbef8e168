import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Permission } from '../../src/domain/permission.ts';
import type { RoomId } from '../../src/domain/ids.ts';
import { type Person, registerPerson, roomPath, V3 } from './support/person.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import { type ScopedGateway, startScopedGateway } from './support/scoped-gateway.ts';

let alice: Person;
let bob: Person;
let ops: RoomId;
let secret: RoomId;
let gateway: ScopedGateway | undefined;
let txn = 0;
/** Shown by bob in the room in scope, in the one outside, by alice before the grant. */
let image: string;
let hidden: string;
let avatar: string;

const ask = (method: string, path: string, init?: RequestInit) => {
  if (gateway === undefined) throw new Error('No gateway is running.');
  return gateway.fetch(method, path, init);
};
const pathOf = (mxc: string, what = 'download', query = '') =>
  `/_matrix/client/v1/media/${what}/${mxc.slice('mxc://'.length)}${query}`;
const get = (mxc: string, what?: string, query?: string) => ask('GET', pathOf(mxc, what, query));

/** A picture of one colour, 64 by 64. */
function png(shade: number): Uint8Array<ArrayBuffer> {
  const chunk = (type: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), body.length + 4);
    return out;
  };
  const head = Buffer.from([0, 0, 0, 64, 0, 0, 0, 64, 8, 0, 0, 0, 0]);
  const rows = Buffer.alloc(64 * 65, shade).map((value, at) => (at % 65 === 0 ? 0 : value));
  const parts = [
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return Uint8Array.from(Buffer.concat(parts));
}

function crc(bytes: Uint8Array): number {
  let value = ~0;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (0xedb88320 & -(value & 1));
  }
  return ~value >>> 0;
}

const upload = (user: Person, bytes: Uint8Array<ArrayBuffer>, type = 'image/png') =>
  user.upload(bytes, type, 'secret-name.png');
const post = (user: Person, room: string, mxc: string) =>
  user.send(room, 'm.room.message', { msgtype: 'm.image', body: 'x', url: mxc });

/** A gateway that has not shown anything yet. */
async function restart(can: readonly Permission[]): Promise<void> {
  await gateway?.[Symbol.asyncDispose]();
  gateway = await startScopedGateway(sharedSynapse(), alice, { rooms: [ops], scope: { can } });
}

beforeAll(async () => {
  const synapse = sharedSynapse();
  alice = await registerPerson(synapse, 'alice');
  bob = await registerPerson(synapse, 'bob');
  const levels = { state_default: 0, events: { 'm.room.avatar': 0 } };
  ops = await bob.createRoom({ power_level_content_override: levels }, alice);
  secret = await bob.createRoom({ power_level_content_override: levels }, alice);
  [image, hidden, avatar] = (await Promise.all(
    [png(40), png(80), png(120)].map((bytes) => upload(bob, bytes)),
  )) as [string, string, string];
  await bob.request('PUT', `${V3}/profile/${encodeURIComponent(bob.userId)}/avatar_url`, {
    avatar_url: avatar,
  });
  await post(bob, ops, image);
  await post(bob, secret, hidden);
});

beforeEach(() => restart(['read']));
afterAll(() => gateway?.[Symbol.asyncDispose]());

describe('a reader', () => {
  test.each([true, false])(
    'fetches what the room in scope shows and nothing else (having read it: %s)',
    async (reads) => {
      if (reads) await (await ask('GET', `${V3}/sync`)).json();
      const got = await get(image);
      expect(got.status).toBe(200);
      expect(new Uint8Array(await got.arrayBuffer())).toEqual(png(40));
      expect(got.headers.get('content-type')).toBe('image/png');
      expect(got.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''secret-name.png");
      const small = await get(image, 'thumbnail', '?width=32&height=32&method=crop');
      expect([
        small.status,
        small.headers.get('content-type'),
        small.headers.get('content-disposition')?.split(';')[0],
      ]).toEqual([200, 'image/png', 'inline']);
      expect(
        Buffer.from(await small.arrayBuffer())
          .subarray(1, 4)
          .toString(),
      ).toBe('PNG');
      expect((await get(avatar, 'thumbnail', '?width=32&height=32')).status).toBe(200);
      for (const response of [
        await get(hidden),
        await get(hidden, 'thumbnail', '?width=32&height=32'),
        await get(hidden.replace(/.$/, 'x')),
      ])
        expect([response.status, await response.json()]).toEqual([
          403,
          { errcode: 'M_FORBIDDEN', error: 'This token does not allow that.' },
        ]);
      expect((await ask('GET', `/_matrix/media/v3/download/${hidden.slice(6)}`)).status).toBe(404);
    },
  );

  test('is given no page to run', async () => {
    const page = await upload(
      bob,
      Uint8Array.from(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>')),
      'image/svg+xml',
    );
    await post(bob, ops, page);
    const got = await get(page);
    expect([got.status, got.headers.get('content-type')]).toEqual([200, 'application/octet-stream']);
    expect(got.headers.get('content-security-policy')).toContain('sandbox');
  });

  test('does not fetch what was redacted before it was shown', async () => {
    const gone = await upload(bob, png(7));
    const id = await post(bob, ops, gone);
    await bob.request('PUT', roomPath(ops, `redact/${encodeURIComponent(id)}/r${++txn}`), {});
    await (await ask('GET', roomPath(ops, 'messages?dir=b&limit=100'))).json();
    expect((await get(gone)).status).toBe(403);
  });
});

test('posting a known address, in every way a holder has, does not open it', async () => {
  await restart([
    'read',
    'send',
    'react',
    'edit',
    'state',
    'state:m.room.avatar',
    'state:org.example.picture',
    'profile',
  ]);
  const send = async (type: string, content: unknown) =>
    (await (
      await ask('PUT', roomPath(ops, `send/${type}/h${++txn}`), { body: JSON.stringify(content) })
    ).json()) as { event_id: string };
  const message = { msgtype: 'm.image', body: 'x', url: hidden };
  const { event_id: first } = await send('m.room.message', message);
  expect(first).toMatch(/^\$/);
  await send('m.sticker', { body: 'x', url: hidden, info: { thumbnail_url: hidden } });
  await send('m.room.message', {
    ...message,
    'm.new_content': message,
    'm.relates_to': { rel_type: 'm.replace', event_id: first },
  });
  await send('m.reaction', { 'm.relates_to': { rel_type: 'm.annotation', event_id: first, key: hidden } });
  const put = async (path: string, content: unknown) =>
    expect((await ask('PUT', path, { body: JSON.stringify(content) })).status).toBe(200);
  await put(roomPath(ops, 'state/m.room.avatar'), { url: hidden });
  await put(roomPath(ops, 'state/org.example.picture/x'), { url: hidden });
  await put(`${V3}/profile/${encodeURIComponent(alice.userId)}/avatar_url`, { avatar_url: hidden });
  // Invited again by someone else, alice has her picture in an event of theirs.
  await bob.request('POST', roomPath(ops, 'kick'), { user_id: alice.userId });
  await bob.request('POST', roomPath(ops, 'invite'), { user_id: alice.userId });
  await alice.request('POST', `${V3}/join/${encodeURIComponent(ops)}`, {});
  const { chunk } = await bob.request<{ chunk: unknown[] }>('GET', roomPath(ops, 'messages?dir=b&limit=100'));
  const invited = {
    sender: bob.userId,
    state_key: alice.userId,
    content: { membership: 'invite', avatar_url: hidden },
  };
  expect(chunk).toContainEqual(
    expect.objectContaining({ ...invited, content: expect.objectContaining(invited.content) as unknown }),
  );
  for (const below of [
    'messages?dir=b&limit=100',
    'state',
    'members',
    'joined_members',
    'state/m.room.avatar?format=event',
  ])
    await (await ask('GET', roomPath(ops, below))).json();
  await (await ask('GET', `${V3}/sync`)).json();
  await (await ask('GET', `${V3}/profile/${encodeURIComponent(alice.userId)}`)).json();
  expect((await get(hidden)).status).toBe(403);
  await restart(['read']);
  expect((await get(hidden)).status).toBe(403);
  await post(bob, ops, hidden);
  await restart(['read']);
  expect((await get(hidden)).status).toBe(200);
});

test('an address is made, filled once, and fetched', async () => {
  await restart(['upload', 'read']);
  const made = await ask('POST', '/_matrix/media/v1/create');
  const { content_uri: mxc } = (await made.json()) as { content_uri: string };
  const fill = (body: Uint8Array<ArrayBuffer>) =>
    ask('PUT', `/_matrix/media/v3/upload/${mxc.slice(6)}`, {
      body,
      headers: { 'content-type': 'image/png' },
    });
  expect((await fill(png(1))).status).toBe(200);
  expect((await fill(png(2))).status).toBe(403);
  expect(new Uint8Array(await (await get(mxc)).arrayBuffer())).toEqual(png(1));
  const other = await alice.request<{ content_uri: string }>('POST', '/_matrix/media/v1/create', {});
  expect(
    (await ask('PUT', `/_matrix/media/v3/upload/${other.content_uri.slice(6)}`, { body: png(3) })).status,
  ).toBe(403);
});

test('`media-any` opens every file', async () => {
  await restart(['media-any']);
  expect((await get(hidden)).status).toBe(200);
  expect((await get(hidden.replace(/.$/, 'x'))).status).toBe(404);
});
