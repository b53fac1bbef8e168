import type { RoomId, UserId } from '../../../src/domain/ids.ts';
import { matrixRequest } from '../../harness/matrix-http.ts';
import type { SynapseServer } from '../../harness/synapse.ts';
import type { TestUser } from '../../harness/synapse-users.ts';

const V3 = '/_matrix/client/v3';

/** A room of the world, with all that must not be told outside of it. */
export type WorldRoom = {
  readonly id: RoomId;
  /** Strings that stand for it and its contents: id, name, topic, alias, messages, event ids. */
  readonly secrets: string[];
  /** A message that has a thread, an edit and a reaction. */
  root: string;
};

/** One user in rooms of every kind, and what only some of them hold. */
export type World = {
  readonly alice: TestUser;
  readonly bob: TestUser;
  /** Is in rooms called outside alone. */
  readonly carol: TestUser;
  /** As the gateway's own: without a device. */
  readonly upstream: string;
  readonly rooms: Record<RoomName, WorldRoom>;
};

export const ROOM_NAMES = [
  'ops',
  'dev',
  'space',
  'subspace',
  'deep',
  'newer',
  'secret',
  'sealed',
  'old',
  'invited',
  'knocked',
  'left',
] as const;
export type RoomName = (typeof ROOM_NAMES)[number];

/** The word every room has messages with. */
export const WORD = 'needle';

/** Builds it on a real Synapse. */
export async function crowdedWorld(synapse: SynapseServer): Promise<World> {
  const [alice, bob, carol] = [
    await synapse.uniqueUser('alice'),
    await synapse.uniqueUser('bob'),
    await synapse.uniqueUser('carol'),
  ];
  const mark = alice.localpart;
  const as = <T = { event_id: string; room_id: RoomId }>(
    user: TestUser,
    method: string,
    path: string,
    body?: unknown,
  ) =>
    matrixRequest<T>(synapse.baseUrl, method, path, {
      token: user.accessToken,
      ...(body === undefined ? {} : { body }),
    });
  const of = (id: string) => `${V3}/rooms/${encodeURIComponent(id)}`;
  let txn = 0;
  const send = (user: TestUser, room: string, type: string, content: object) =>
    as(user, 'PUT', `${of(room)}/send/${type}/${(txn += 1)}`, content).then(({ event_id }) => event_id);
  const say = (user: TestUser, room: string, body: string, more: object = {}) =>
    send(user, room, 'm.room.message', { msgtype: 'm.text', body, ...more });

  const make = async (
    name: RoomName,
    owner: TestUser,
    guests: readonly TestUser[],
    more: object = {},
  ): Promise<WorldRoom> => {
    const alias = `${name}-${mark}`;
    const words = { name: `Name-of-${alias}`, topic: `Topic-of-${alias}`, room_alias_name: `alias-${alias}` };
    const { room_id: id } = await as(owner, 'POST', `${V3}/createRoom`, {
      preset: 'public_chat',
      ...words,
      ...more,
    });
    for (const guest of guests) await as(guest, 'POST', `${V3}/join/${encodeURIComponent(id)}`, {});
    return { id, secrets: [id, words.name, words.topic, words.room_alias_name], root: '' };
  };
  const fill = async (name: RoomName, room: WorldRoom, author: TestUser) => {
    room.root = await say(author, room.id, `${WORD} root-of-${name}-${mark}`);
    const related = (rel: object, body: string) =>
      say(author, room.id, body, { 'm.relates_to': { event_id: room.root, ...rel } });
    await related({ rel_type: 'm.thread' }, `${WORD} thread-of-${name}-${mark}`);
    await related({ rel_type: 'm.reference' }, `reference-of-${name}-${mark}`);
    await say(author, room.id, `edited`, {
      'm.new_content': { msgtype: 'm.text', body: `edit-of-${name}-${mark}` },
      'm.relates_to': { rel_type: 'm.replace', event_id: room.root },
    });
    await send(author, room.id, 'm.reaction', {
      'm.relates_to': { rel_type: 'm.annotation', event_id: room.root, key: `key-${name}-${mark}` },
    });
    const gone = await say(author, room.id, `gone-of-${name}-${mark}`);
    await as(author, 'PUT', `${of(room.id)}/redact/${encodeURIComponent(gone)}/${(txn += 1)}`, {
      reason: `reason-of-${name}-${mark}`,
    });
    await as(author, 'POST', `${of(room.id)}/receipt/m.read/${encodeURIComponent(room.root)}`, {});
    room.secrets.push(
      ...['root', 'thread', 'reference', 'edit', 'gone', 'reason'].map(
        (what) => `${what}-of-${name}-${mark}`,
      ),
      `key-${name}-${mark}`,
    );
  };

  const space = { creation_content: { type: 'm.space' } };
  const encrypted = {
    initial_state: [
      { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
    ],
  };
  const knocking = {
    initial_state: [{ type: 'm.room.join_rules', state_key: '', content: { join_rule: 'knock' } }],
  };
  const rooms = {
    ops: await make('ops', alice, [bob]),
    dev: await make('dev', bob, [alice], { room_version: '10' }),
    space: await make('space', alice, [bob], space),
    subspace: await make('subspace', alice, [carol], space),
    deep: await make('deep', alice, [carol]),
    secret: await make('secret', alice, [bob, carol]),
    sealed: await make('sealed', alice, [carol], encrypted),
    old: await make('old', alice, [bob], { room_version: '11' }),
    invited: await make('invited', carol, [], { preset: 'private_chat', invite: [alice.userId] }),
    knocked: await make('knocked', carol, [], { ...knocking }),
    left: await make('left', carol, [alice]),
  } satisfies Omit<Record<RoomName, WorldRoom>, 'newer'>;
  await as(alice, 'PUT', `${V3}/profile/${encodeURIComponent(alice.userId)}/displayname`, {
    displayname: 'Alice',
  });
  await as(carol, 'PUT', `${V3}/profile/${encodeURIComponent(carol.userId)}/displayname`, {
    displayname: `Carol-${mark}`,
  });
  for (const name of ['ops', 'dev', 'space', 'secret', 'old'] as const) await fill(name, rooms[name], bob);
  for (const name of ['subspace', 'deep', 'sealed', 'left', 'invited', 'knocked'] as const)
    await fill(name, rooms[name], carol);

  const { replacement_room: newId } = await as<{ replacement_room: RoomId }>(
    alice,
    'POST',
    `${of(rooms.old.id)}/upgrade`,
    {
      new_version: '12',
    },
  );
  await as(bob, 'POST', `${V3}/join/${encodeURIComponent(newId)}`, {});
  // The names went with it.
  const newer: WorldRoom = { id: newId, secrets: [newId], root: '' };
  await fill('newer', newer, bob);
  rooms.old.secrets.splice(1, 3);

  const child = (parent: WorldRoom, below: WorldRoom, suggested: boolean) =>
    as(alice, 'PUT', `${of(parent.id)}/state/m.space.child/${encodeURIComponent(below.id)}`, {
      via: [synapse.serverName],
      suggested,
    });
  await child(rooms.space, rooms.ops, true);
  await child(rooms.space, rooms.dev, false);
  await child(rooms.space, rooms.secret, true);
  await child(rooms.space, rooms.subspace, false);
  await child(rooms.subspace, rooms.deep, false);
  await as(alice, 'PUT', `${of(rooms.ops.id)}/state/m.room.join_rules/`, {
    join_rule: 'restricted',
    allow: [rooms.space, rooms.secret].map((room) => ({ type: 'm.room_membership', room_id: room.id })),
  });
  await as(alice, 'POST', `${V3}/knock/${encodeURIComponent(rooms.knocked.id)}`, {});
  await as(alice, 'POST', `${of(rooms.left.id)}/leave`, {});
  const own = `${V3}/user/${encodeURIComponent(alice.userId)}`;
  await as(alice, 'PUT', `${own}/rooms/${encodeURIComponent(rooms.secret.id)}/tags/m.favourite`, {
    order: 0.5,
  });
  await as(alice, 'PUT', `${own}/account_data/m.direct`, { [carol.userId]: [rooms.secret.id] });
  await as(alice, 'PUT', `${own}/rooms/${encodeURIComponent(rooms.secret.id)}/account_data/org.example`, {
    note: `note-of-secret-${mark}`,
  });
  await say(bob, rooms.secret.id, `${WORD} ${alice.localpart} mention-of-secret-${mark}`, {
    'm.mentions': { user_ids: [alice.userId] },
  });
  rooms.secret.secrets.push(`note-of-secret-${mark}`, `mention-of-secret-${mark}`);
  const minted = await matrixRequest<{ access_token: string }>(
    synapse.baseUrl,
    'POST',
    `/_synapse/admin/v1/users/${encodeURIComponent(alice.userId)}/login`,
    {
      token: synapse.adminToken,
      body: {},
    },
  );
  const world: World = { alice, bob, carol, upstream: minted.access_token, rooms: { ...rooms, newer } };
  for (const room of Object.values(world.rooms))
    room.secrets.push(...(await eventIds(synapse, carol, alice, room.id)));
  return world;
}

/** The ids of every event of a room, whoever of the two may read it. */
async function eventIds(
  synapse: SynapseServer,
  carol: TestUser,
  alice: TestUser,
  room: RoomId,
): Promise<string[]> {
  for (const user of [carol, alice]) {
    const path = `${V3}/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=1000`;
    const page = await matrixRequest<{ chunk: { event_id: string }[] }>(synapse.baseUrl, 'GET', path, {
      token: user.accessToken,
    }).catch(() => null);
    if (page !== null) return page.chunk.map((event) => event.event_id);
  }
  return [];
}

/** What a user id is in a test. */
export const userIdOf = (user: TestUser) => user.userId as UserId;
