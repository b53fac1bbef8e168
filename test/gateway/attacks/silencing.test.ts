import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { OPS } from '../support/grants.ts';
import { type Stage, stage } from '../support/stage.ts';

// What would keep the subject from seeing the notice, or outlive the token. Nothing of it reaches the
// homeserver. Advisories looked at: CVE-2023-42453 (Synapse: read receipts forged for events one cannot see),
// CVE-2023-43796 (Synapse: devices of others can be asked for).

let s: Stage;
beforeAll(async () => {
  s = await stage({ rooms: [OPS] });
});
afterAll(() => s[Symbol.asyncDispose]());
beforeEach(() => void (s.homeserver.seen.length = 0));

const ME = '@alice:hs.test';
const DM = '!dm:hs.test';

describe('refused, whatever the scope', () => {
  test.each([
    ['PUT', `user/${ME}/account_data/m.ignored_user_list`],
    ['PUT', `user/${ME}/account_data/m.direct`],
    ['PUT', `user/${ME}/account_data/m.push_rules`],
    ['PUT', `user/${ME}/account_data/m.secret_storage.default_key`],
    ['PUT', `user/${ME}/rooms/${DM}/account_data/m.fully_read`],
    ['PUT', `user/${ME}/rooms/${OPS}/account_data/m.fully_read`],
    ['PUT', 'pushrules/global/room/!dm:hs.test'],
    ['PUT', 'pushrules/global/override/.m.rule.master/enabled'],
    ['DELETE', 'pushrules/global/sender/x'],
    ['POST', 'pushers/set'],
    ['POST', `rooms/${DM}/leave`],
    ['POST', `rooms/${OPS}/leave`],
    ['PUT', `rooms/${DM}/leave/1`],
    ['POST', `rooms/${DM}/forget`],
    ['POST', `rooms/${DM}/kick`],
    ['POST', `rooms/${OPS}/invite`],
    ['POST', `rooms/${OPS}/upgrade`],
    ['PUT', `rooms/${DM}/state/m.room.member/${ME}`],
    ['PUT', `rooms/${OPS}/state/m.room.power_levels`],
    ['PUT', `rooms/${OPS}/state/m.room.power_levels/`],
    ['PUT', `rooms/${DM}/redact/$1/1`],
    ['POST', `rooms/${DM}/redact/$1`],
    ['PUT', `rooms/${OPS}/send/m.room.message/1`],
    ['PUT', `rooms/${OPS}/send/m.room.message/1?org.matrix.msc4140.delay=1000`],
    ['POST', `rooms/${OPS}/send/m.room.message`],
    ['POST', `rooms/${DM}/read_markers`],
    ['POST', `rooms/${DM}/receipt/m.read/$1`], // CVE-2023-42453
    ['PUT', `rooms/${OPS}/typing/@bob:hs.test`],
    ['PUT', 'sendToDevice/m.room.encrypted/1'],
    ['POST', 'logout/all'],
    ['POST', 'account/password'],
    ['POST', 'account/deactivate'],
    ['POST', 'account/3pid/add'],
    ['POST', 'delete_devices'],
    ['DELETE', 'devices/X'],
    ['POST', 'keys/device_signing/upload'],
    ['POST', 'keys/signatures/upload'],
    ['POST', 'keys/claim'],
    ['PUT', 'room_keys/version/1'],
    ['GET', 'room_keys/keys'],
    ['PUT', `profile/${ME}/displayname`],
    ['PUT', `presence/${ME}/status`],
    ['POST', `user/${ME}/openid/request_token`],
    ['POST', 'login'],
    ['GET', 'login'],
    ['POST', 'login/get_token'],
    ['POST', 'refresh'],
    ['POST', 'register'],
    ['POST', 'createRoom'],
    ['POST', 'knock/!x:y'],
    ['POST', 'join/%23ops:hs.test'],
    ['POST', `join/${DM}`],
    ['PUT', `join/${OPS}/1`],
    ['GET', 'admin/whois/@alice:hs.test'],
  ])('%s %s', async (method, below) => {
    for (const version of ['v3', 'r0', 'unstable']) {
      const got = await s.ask(
        method,
        `/_matrix/client/${version}/${below}`,
        method === 'GET' ? {} : { body: '{"membership":"join"}' },
      );
      expect(got).toMatchObject({
        status: 403,
        body: {
          errcode: 'M_FORBIDDEN',
          error: expect.stringMatching(/^This token does not (?:allow that|hold the capability [a-z-]+)\.$/),
        },
      });
    }
    expect(s.homeserver.seen).toEqual([]);
  });

  test.each(['GET', 'POST', 'PUT', 'DELETE'])(
    '%s of administration, dehydrated devices, rendezvous and delayed events',
    async (method) => {
      for (const path of [
        '/_synapse/admin/v1/users/@alice:hs.test/login',
        '/_matrix/client/unstable/org.matrix.msc4140/delayed_events/x',
        '/_matrix/client/v1/rendezvous',
        '/_matrix/client/unstable/org.matrix.msc4108/rendezvous',
      ]) {
        expect((await s.ask(method, path)).status).toBe(403);
      }
      if (method !== 'GET')
        expect(
          (await s.ask(method, '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device')).status,
        ).toBe(403);
      expect(s.homeserver.seen).toEqual([]);
    },
  );
});

describe('answered, without anything happening', () => {
  test.each<[string, string, object]>([
    ['PUT', `rooms/${OPS}/typing/${ME}`, {}],
    ['POST', `rooms/${OPS}/receipt/m.read/$1`, {}],
    ['POST', `rooms/${OPS}/receipt/m.read.private/$1`, {}],
    ['POST', `rooms/${OPS}/read_markers`, {}],
    ['POST', 'keys/upload', { one_time_key_counts: { signed_curve25519: 50 } }],
    ['POST', 'keys/query', { device_keys: {}, failures: {} }],
    ['GET', 'pushrules/', { global: { override: [], content: [], room: [], sender: [], underride: [] } }],
    ['GET', 'devices', { devices: [] }],
    ['GET', 'voip/turnServer', {}],
  ])('%s %s', async (method, below, expected) => {
    const got = await s.ask(method, `/_matrix/client/v3/${below}`, method === 'GET' ? {} : { body: '{}' });
    expect(got).toMatchObject({ status: 200, body: expected });
    expect(s.homeserver.seen).toEqual([]);
  });

  test.each([
    `user/${ME}/account_data/m.direct`,
    `user/${ME}/rooms/${DM}/account_data/m.tag`,
    'room_keys/version',
    'rtc/transports',
    'dehydrated_device',
  ])('GET %s is never there', async (below) => {
    expect((await s.ask('GET', `/_matrix/client/v3/${below}`)).status).toBe(404);
    expect(s.homeserver.seen).toEqual([]);
  });
});
