import { describe, expect, test } from 'vitest';
import type { EncryptedClient, TimelineEvent } from '../harness/encrypted-client.ts';
import { startJsClient } from '../harness/js-client.ts';
import { MatrixHttpError, matrixRequest } from '../harness/matrix-http.ts';
import { ratchetUses, reusedRatchets, roomEvents } from '../harness/megolm.ts';
import { startNioClient } from '../harness/nio-client.ts';
import { answerWith, cut, hold, startProxy } from '../harness/proxy.ts';
import { findSecrets } from '../harness/secrets-grep.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import { startSynapse } from '../harness/synapse.ts';

/** A room of the first client's, with all the others in it, known to each. */
async function roomOf(host: EncryptedClient, ...guests: EncryptedClient[]): Promise<string> {
  const room = await host.createRoom({ name: 'Ops', invite: guests.map((guest) => guest.userId) });
  for (const guest of guests) {
    await guest.waitForInvite((invite) => invite.roomId === room);
    await guest.join(room);
  }
  for (const one of [host, ...guests])
    for (const other of [host, ...guests]) await one.waitForMember(room, other.userId);
  return room;
}

const withId =
  (eventId: string) =>
  (event: TimelineEvent): boolean =>
    event.eventId === eventId;

describe('clients on two engines', () => {
  test('talk encrypted and decrypt everything, without a warning and without reusing a ratchet', async () => {
    const synapse = sharedSynapse();
    await using alice = await startJsClient(synapse, await synapse.uniqueUser('alice'));
    await using bob = await startJsClient(synapse, await synapse.uniqueUser('bob'), {
      signedDevicesOnly: true,
    });
    await using nina = await startNioClient(synapse, await synapse.uniqueUser('nina'));
    const everyone = [alice, bob, nina];
    const room = await roomOf(alice, bob, nina);

    for (const speaker of [...everyone, ...everyone]) {
      const sent = await speaker.say(room, `hello from ${speaker.userId}`, { mentions: [alice.userId] });
      for (const listener of everyone.filter((client) => client !== speaker)) {
        const heard = await listener.waitForMessage(
          (event) => event.eventId === sent && event.signedByOwner === true,
        );
        expect(heard).toMatchObject({
          sender: speaker.userId,
          type: 'm.room.message',
          content: { body: `hello from ${speaker.userId}`, 'm.mentions': { user_ids: [alice.userId] } },
          wasEncrypted: true,
          undecryptable: null,
          shield: listener === nina ? null : { colour: 'none', reason: null },
        });
      }
    }
    const uses = ratchetUses(await roomEvents(synapse.baseUrl, alice.accessToken, room));
    expect(uses).toHaveLength(6);
    expect(reusedRatchets(uses)).toEqual([]);

    const { content } = await nina.wireEvent(room, uses[0]!.eventId);
    const replayed = await nina.sendPlaintext(room, 'm.room.encrypted', content as object);
    const both = reusedRatchets(ratchetUses(await roomEvents(synapse.baseUrl, alice.accessToken, room)));
    expect(both.map((group) => group.map((use) => use.eventId))).toEqual([[uses[0]!.eventId, replayed]]);
  });

  test('notice when somebody has new cross-signing keys', async () => {
    const synapse = sharedSynapse();
    await using alice = await startJsClient(synapse, await synapse.uniqueUser('alice'));
    await using bob = await startJsClient(synapse, await synapse.uniqueUser('bob'));
    const room = await roomOf(alice, bob);
    const masterKey = async (): Promise<unknown> => {
      const body = { device_keys: { [alice.userId]: [] } };
      const answer = await matrixRequest(synapse.baseUrl, 'POST', '/_matrix/client/v3/keys/query', {
        token: bob.accessToken,
        body,
      });
      return answer['master_keys'];
    };
    const before = await masterKey();
    await alice.resetCrossSigning();
    expect(await masterKey()).not.toEqual(before);
    const sent = await alice.say(room, 'still me');
    await bob.waitForMessage((event) => event.eventId === sent && event.signedByOwner === true);
  });

  test('see who is not cross-signed, and keep their words from those', async () => {
    const synapse = sharedSynapse();
    await using alice = await startJsClient(synapse, await synapse.uniqueUser('alice'), {
      signedDevicesOnly: true,
    });
    await using bob = await startJsClient(synapse, await synapse.uniqueUser('bob'));
    await using nina = await startNioClient(synapse, await synapse.uniqueUser('nina'));
    await using mallory = await startJsClient(synapse, await synapse.uniqueUser('mallory'), {
      crossSigned: false,
    });
    await using nemo = await startNioClient(synapse, await synapse.uniqueUser('nemo'), {
      crossSigned: false,
    });
    const room = await roomOf(bob, alice, nina, mallory, nemo);

    for (const unsigned of [mallory, nemo]) {
      const sent = await unsigned.say(room, 'trust me');
      const seen = { eventId: sent, content: { body: 'trust me' }, signedByOwner: false };
      expect(await bob.waitForMessage(withId(sent))).toMatchObject({
        ...seen,
        shield: { colour: 'red', reason: 'UNSIGNED_DEVICE' },
      });
      expect(await nina.waitForMessage(withId(sent))).toMatchObject(seen);
      expect(await alice.waitForMessage(withId(sent))).toMatchObject({
        content: {},
        undecryptable: expect.any(String),
      });
    }

    const secret = await alice.say(room, 'for signed devices only');
    for (const trusted of [bob, nina]) {
      const heard = await trusted.waitForMessage(withId(secret));
      expect(heard).toMatchObject({ undecryptable: null, content: { body: 'for signed devices only' } });
    }
    for (const untrusted of [mallory, nemo]) {
      expect(await untrusted.waitForMessage(withId(secret))).toMatchObject({
        content: {},
        undecryptable: expect.any(String),
      });
    }
  });

  test('tell plaintext, edits, replies and redactions apart', async () => {
    const synapse = sharedSynapse();
    await using alice = await startJsClient(synapse, await synapse.uniqueUser('alice'));
    await using bob = await startJsClient(synapse, await synapse.uniqueUser('bob'));
    await using nina = await startNioClient(synapse, await synapse.uniqueUser('nina'));
    const room = await roomOf(alice, bob, nina);

    const question = await alice.say(room, 'what?');
    const edited = await alice.edit(room, question, 'when?');
    const forged = await alice.sendPlaintext(room, 'm.room.message', { msgtype: 'm.text', body: 'in clear' });
    const answer = await bob.say(room, 'now', { replyTo: question });
    expect(await alice.waitForReply(question)).toMatchObject({ eventId: answer });
    for (const client of [bob, nina]) {
      expect(await client.waitForMessage(withId(edited))).toMatchObject({
        content: {
          'm.new_content': { body: 'when?' },
          'm.relates_to': { rel_type: 'm.replace', event_id: question },
        },
      });
      expect(await client.waitForMessage(withId(question))).toMatchObject({ content: { body: 'what?' } });
      expect(await client.waitForMessage(withId(forged))).toMatchObject({
        content: { body: 'in clear' },
        wasEncrypted: false,
      });
    }
    const reaction = await bob.react(room, question, '👍');
    expect(await alice.waitForMessage(withId(reaction))).toMatchObject({
      type: 'm.reaction',
      wasEncrypted: false,
    });

    await alice.redact(room, question);
    for (const client of [alice, bob, nina]) {
      expect(
        await client.waitForMessage((event) => event.eventId === question && event.redacted),
      ).toMatchObject({
        content: {},
        wasEncrypted: true,
      });
    }
    for (const client of [alice, nina]) {
      await expect(client.say(await client.createRoom({ encrypted: false }), 'hush')).rejects.toThrow(
        'not encrypted',
      );
    }
  });

  test('see why they are invited, and not by whom they ignore', async () => {
    const synapse = sharedSynapse();
    await using alice = await startJsClient(synapse, await synapse.uniqueUser('alice'));
    await using nina = await startNioClient(synapse, await synapse.uniqueUser('nina'));
    const host = await synapse.uniqueUser('host');
    const invite = async (userId: string, reason: string): Promise<string> => {
      const asHost = { token: host.accessToken };
      const { room_id } = await matrixRequest<{ room_id: string }>(
        synapse.baseUrl,
        'POST',
        '/_matrix/client/v3/createRoom',
        {
          ...asHost,
          body: {},
        },
      );
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room_id)}/invite`;
      await matrixRequest(synapse.baseUrl, 'POST', path, { ...asHost, body: { user_id: userId, reason } });
      return room_id;
    };
    for (const client of [alice, nina]) {
      const room = await invite(client.userId, 'a token was made');
      const seen = await client.waitForInvite((one) => one.roomId === room);
      expect(seen).toEqual({
        roomId: room,
        inviter: host.userId,
        reason: 'a token was made',
        isDirect: false,
      });
      await client.join(room);
      expect(client.invites()).toEqual([]);
      await client.ignore([host.userId]);
      const unseen = await invite(client.userId, 'again');
      await expect(client.waitForInvite((one) => one.roomId === unseen, { timeoutMs: 700 })).rejects.toThrow(
        'in vain',
      );
    }
  });
});

describe('the proxy before a real Synapse', () => {
  test('breaks where it is told to, before or after the deed', async () => {
    const synapse = sharedSynapse();
    await using proxy = await startProxy(synapse.baseUrl);
    const user = await synapse.uniqueUser('alice');
    const createRoom = (): Promise<{ room_id: string }> =>
      matrixRequest(proxy.baseUrl, 'POST', '/_matrix/client/v3/createRoom', {
        token: user.accessToken,
        body: {},
      });
    const rooms = async (): Promise<number> => {
      const path = '/_matrix/client/v3/joined_rooms';
      const { joined_rooms } = await matrixRequest<{ joined_rooms: string[] }>(synapse.baseUrl, 'GET', path, {
        token: user.accessToken,
      });
      return joined_rooms.length;
    };
    const request = { method: 'POST', path: '/createRoom' };

    const broken = proxy.on(request, answerWith(500, { errcode: 'M_UNKNOWN', error: 'no' }), { times: 1 });
    await expect(createRoom()).rejects.toMatchObject({ status: 500, errcode: 'M_UNKNOWN' });
    expect([broken.hits, await rooms()]).toEqual([1, 0]);
    proxy.on(request, cut('before'), { times: 1 });
    await expect(createRoom()).rejects.toThrow('fetch failed');
    expect(await rooms()).toBe(0);
    proxy.on(request, cut('after'), { times: 1 });
    await expect(createRoom()).rejects.toThrow('fetch failed');
    expect(await rooms()).toBe(1);

    const held = proxy.on(request, hold('before'));
    const late = createRoom();
    await held.reached;
    expect(await rooms()).toBe(1);
    held.release();
    await late;
    expect(await rooms()).toBe(2);
  });

  test('carries an encrypted client', async () => {
    const synapse = sharedSynapse();
    await using proxy = await startProxy(synapse.baseUrl);
    await using alice = await startJsClient(proxy, await synapse.uniqueUser('alice'));
    const room = await alice.createRoom();
    await alice.say(room, 'through the proxy');
    expect(
      proxy.requests.some((request) => request.path.endsWith('/keys/upload') && request.status === 200),
    ).toBe(true);
    const uploads = { texts: { requests: proxy.requests.map((request) => request.body) } };
    expect(await findSecrets(['through the proxy'], uploads)).toEqual([]);
  });
});

describe('a Synapse of one’s own', () => {
  test('keeps its data over a stop and a kill, stands still when paused, and takes the configuration it is given', async () => {
    await using synapse = await startSynapse({
      serverName: 'own.example',
      serverNotices: true,
      rateLimits: 'default',
      appservices: [
        {
          id: 'bridge',
          as_token: 'as-token',
          hs_token: 'hs-token',
          sender_localpart: 'bridge',
          url: null,
          namespaces: { users: [{ regex: '@.*:own\\.example', exclusive: false }] },
        },
      ],
    });
    const alice = await synapse.registerUser('alice');
    expect(alice.userId).toBe('@alice:own.example');
    const whoami = (token: string): Promise<object> =>
      matrixRequest(synapse.baseUrl, 'GET', '/_matrix/client/v3/account/whoami', { token, timeoutMs: 1_000 });
    await synapse.stop();
    await expect(whoami(alice.accessToken)).rejects.toThrow('fetch failed');
    await synapse.start();
    await synapse.kill();
    await synapse.start();
    expect(await whoami(alice.accessToken)).toMatchObject({ user_id: alice.userId });
    synapse.pause();
    await expect(whoami(alice.accessToken)).rejects.toThrow('timeout');
    synapse.resume();
    expect(await whoami('as-token')).toMatchObject({ user_id: '@bridge:own.example' });

    await matrixRequest(synapse.baseUrl, 'POST', '/_synapse/admin/v1/send_server_notice', {
      token: synapse.adminToken,
      body: { user_id: alice.userId, content: { msgtype: 'm.text', body: 'hear, hear' } },
    });
    const path = '/_matrix/client/v3/createRoom';
    const createMany = async (): Promise<void> => {
      for (let i = 0; i < 20; i++)
        await matrixRequest(synapse.baseUrl, 'POST', path, { token: alice.accessToken, body: {} });
    };
    const refusal: unknown = await createMany().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(MatrixHttpError);
    expect(refusal).toMatchObject({ status: 429, errcode: 'M_LIMIT_EXCEEDED' });
    expect(
      await findSecrets([synapse.registrationSecret], { paths: [synapse.databasePath, synapse.logPath] }),
    ).toEqual([]);
  });

  test('that cannot start says why', async () => {
    await expect(startSynapse({ config: { listeners: 'nonsense' } })).rejects.toThrow(
      /ended while starting[^]*'listeners'/,
    );
  });
});
