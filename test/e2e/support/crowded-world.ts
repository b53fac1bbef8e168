import type { RoomId } from '../../../src/domain/ids.ts';
import { type Person, registerPerson, roomPath, V3 } from './person.ts';
import type { SynapseServer } from '../../harness/synapse.ts';

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
  readonly alice: Person;
  readonly bob: Person;
  /** Is in rooms called outside alone. */
  readonly carol: Person;
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
  const alice = await registerPerson(synapse, 'alice');
  const bob = await registerPerson(synapse, 'bob');
  const carol = await registerPerson(synapse, 'carol');
  const mark = alice.localpart;
  const say = (user: Person, room: string, body: string, more: object = {}) =>
    user.send(room, 'm.room.message', { msgtype: 'm.text', body, ...more });

  const make = async (
    name: RoomName,
    owner: Person,
    guests: readonly Person[],
    more: object = {},
  ): Promise<WorldRoom> => {
    const alias = `${name}-${mark}`;
    const words = { name: `Name-of-${alias}`, topic: `Topic-of-${alias}`, room_alias_name: `alias-${alias}` };
    const id = await owner.createRoom({ preset: 'public_chat', ...words, ...more });
    for (const guest of guests) await guest.join(id);
    return { id, secrets: [id, words.name, words.topic, words.room_alias_name], root: '' };
  };
  const fill = async (name: RoomName, room: WorldRoom, author: Person) => {
    room.root = await say(author, room.id, `${WORD} root-of-${name}-${mark}`);
    const related = (rel: object, body: string) =>
      say(author, room.id, body, { 'm.relates_to': { event_id: room.root, ...rel } });
    await related({ rel_type: 'm.thread' }, `${WORD} thread-of-${name}-${mark}`);
    await related({ rel_type: 'm.reference' }, `reference-of-${name}-${mark}`);
    await say(author, room.id, `edited`, {
      'm.new_content': { msgtype: 'm.text', body: `edit-of-${name}-${mark}` },
      'm.relates_to': { rel_type: 'm.replace', event_id: room.root },
    });
    await author.send(room.id, 'm.reaction', {
      'm.relates_to': { rel_type: 'm.annotation', event_id: room.root, key: `key-${name}-${mark}` },
    });
    const gone = await say(author, room.id, `gone-of-${name}-${mark}`);
    await author.request('PUT', roomPath(room.id, `redact/${encodeURIComponent(gone)}/r`), {
      reason: `reason-of-${name}-${mark}`,
    });
    await author.request('POST', roomPath(room.id, `receipt/m.read/${encodeURIComponent(room.root)}`), {});
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
  await alice.request('PUT', `${V3}/profile/${encodeURIComponent(alice.userId)}/displayname`, {
    displayname: 'Alice',
  });
  await carol.request('PUT', `${V3}/profile/${encodeURIComponent(carol.userId)}/displayname`, {
    displayname: `Carol-${mark}`,
  });
  for (const name of ['ops', 'dev', 'space', 'secret', 'old'] as const) await fill(name, rooms[name], bob);
  for (const name of ['subspace', 'deep', 'sealed', 'left', 'invited', 'knocked'] as const)
    await fill(name, rooms[name], carol);

  const { replacement_room: newId } = await alice.request<{ replacement_room: RoomId }>(
    'POST',
    roomPath(rooms.old.id, 'upgrade'),
    {
      new_version: '12',
    },
  );
  await bob.join(newId);
  // The names went with it.
  const newer: WorldRoom = { id: newId, secrets: [newId], root: '' };
  await fill('newer', newer, bob);
  rooms.old.secrets.splice(1, 3);

  const child = (parent: WorldRoom, below: WorldRoom, suggested: boolean) =>
    alice.request('PUT', roomPath(parent.id, `state/m.space.child/${encodeURIComponent(below.id)}`), {
      via: [synapse.serverName],
      suggested,
    });
  await child(rooms.space, rooms.ops, true);
  await child(rooms.space, rooms.dev, false);
  await child(rooms.space, rooms.secret, true);
  await child(rooms.space, rooms.subspace, false);
  await child(rooms.subspace, rooms.deep, false);
  await alice.request('PUT', roomPath(rooms.ops.id, 'state/m.room.join_rules/'), {
    join_rule: 'restricted',
    allow: [rooms.space, rooms.secret].map((room) => ({ type: 'm.room_membership', room_id: room.id })),
  });
  await alice.request('POST', `${V3}/knock/${encodeURIComponent(rooms.knocked.id)}`, {});
  await alice.request('POST', roomPath(rooms.left.id, 'leave'), {});
  const own = `${V3}/user/${encodeURIComponent(alice.userId)}`;
  await alice.request('PUT', `${own}/rooms/${encodeURIComponent(rooms.secret.id)}/tags/m.favourite`, {
    order: 0.5,
  });
  await alice.request('PUT', `${own}/account_data/m.direct`, { [carol.userId]: [rooms.secret.id] });
  await alice.request('PUT', `${own}/rooms/${encodeURIComponent(rooms.secret.id)}/account_data/org.example`, {
    note: `note-of-secret-${mark}`,
  });
  await say(bob, rooms.secret.id, `${WORD} ${alice.localpart} mention-of-secret-${mark}`, {
    'm.mentions': { user_ids: [alice.userId] },
  });
  rooms.secret.secrets.push(`note-of-secret-${mark}`, `mention-of-secret-${mark}`);
  const world: World = {
    alice,
    bob,
    carol,
    upstream: await alice.upstreamToken(),
    rooms: { ...rooms, newer },
  };
  for (const room of Object.values(world.rooms))
    room.secrets.push(...(await eventIds(carol, alice, room.id)));
  return world;
}

/** The ids of every event of a room, read by the one of the two who may. */
async function eventIds(carol: Person, alice: Person, room: RoomId): Promise<string[]> {
  for (const user of [carol, alice]) {
    const page = await user
      .request<{ chunk: { event_id: string }[] }>('GET', roomPath(room, 'messages?dir=b&limit=1000'))
      .catch(() => null);
    if (page !== null) return page.chunk.map((event) => event.event_id);
  }
  return [];
}
