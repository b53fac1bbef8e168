import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { judgeControlRoom } from '../../src/app/doctor/control-room.ts';
import { judgeDevice } from '../../src/app/doctor/device.ts';
import { clockFinding } from '../../src/app/doctor/homeserver.ts';
import { canonicalJson } from '../../src/domain/audit.ts';
import type { RoomId, UserId } from '../../src/domain/ids.ts';
import type { ControlRoomState } from '../../src/ports/chat.ts';

const BOT = '@bot:test.local' as UserId;
const YOU = '@you:test.local' as UserId;
const config = {
  admins: [YOU],
  bot: { user_id: BOT, access_token: 'x' },
  issuer: { kind: 'synapse' as const, user_id: '@issuer:test.local' as UserId, access_token: 'x' },
};
const good: ControlRoomState = {
  roomId: '!control' as RoomId,
  botJoined: true,
  encrypted: true,
  joinRule: 'invite',
  guestsAllowed: false,
  worldReadable: false,
  joined: [BOT, YOU],
  invited: [],
};

test.each<[Partial<ControlRoomState>, string, RegExp]>([
  [{}, 'ok', /encrypted and private, with 2 members/],
  [{ botJoined: false }, 'fail', /bot is not in/],
  [{ encrypted: false }, 'fail', /not encrypted/],
  [{ joinRule: 'public' }, 'fail', /without an invitation \(public\)/],
  [{ joinRule: 'restricted' }, 'fail', /restricted/],
  [{ joinRule: 'knock' }, 'fail', /knock/],
  [{ guestsAllowed: true }, 'fail', /Guests/],
  [{ worldReadable: true }, 'fail', /read by anyone/],
  [{ joined: [BOT, YOU, '@eve:test.local' as UserId] }, 'warn', /@eve:test\.local/],
  [{ invited: ['@eve:test.local' as UserId] }, 'warn', /@eve:test\.local/],
  [{ joined: [BOT], invited: [YOU] }, 'warn', /Not in it: @you/],
])('a control room with %j', (change, severity, says) => {
  expect(judgeControlRoom(config, { ...good, ...change })).toMatchObject([{ severity, found: expect.stringMatching(says) }]);
});

/** An identity and a device as a homeserver answers a key query. */
function identity() {
  const pair = () => generateKeyPairSync('ed25519');
  const [master, self] = [pair(), pair()];
  const text = (key: KeyObject) =>
    Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')
      .toString('base64')
      .replace(/=+$/, '');
  const key = (who: typeof master) => text(who.publicKey);
  const signed = (object: object, by: typeof master) => ({
    ...object,
    signatures: {
      [BOT]: {
        [`ed25519:${key(by)}`]: sign(null, Buffer.from(canonicalJson(object)), by.privateKey)
          .toString('base64')
          .replace(/=+$/, ''),
      },
    },
  });
  const device = { user_id: BOT, device_id: 'DEV', algorithms: ['a'], keys: { 'ed25519:DEV': 'x' } };
  const selfKey = { user_id: BOT, usage: ['self_signing'], keys: { [`ed25519:${key(self)}`]: key(self) } };
  return {
    master,
    self,
    key,
    signed,
    pair,
    device,
    selfKey,
    masterKey: { user_id: BOT, usage: ['master'], keys: { [`ed25519:${key(master)}`]: key(master) } },
  };
}

test('a device counts as signed only by signatures that are good', () => {
  const { master, self, signed, pair, device, selfKey, masterKey, key } = identity();
  const judge = (dev: object, ssk: object = signed(selfKey, master), id = 'DEV') =>
    judgeDevice({ device_keys: { [BOT]: { DEV: dev } }, self_signing_keys: { [BOT]: ssk }, master_keys: { [BOT]: masterKey } }, BOT, id)
      .severity;
  expect(judge({ ...signed(device, self), unsigned: { device_display_name: 'x' } })).toBe('ok');
  expect(judge(device)).toBe('fail');
  expect(judge({ ...signed(device, self), algorithms: ['b'] })).toBe('fail');
  expect(judge({ ...device, signatures: { [BOT]: { [`ed25519:${key(self)}`]: 'AAAA' } } })).toBe('fail');
  expect(judge(signed(device, pair()))).toBe('fail');
  expect(judge(signed(device, self), signed(selfKey, pair()))).toBe('fail');
  expect(judge(signed(device, self), selfKey)).toBe('fail');
  expect(judge(signed(device, self), undefined, 'OTHER')).toBe('warn');
  expect(judgeDevice({}, BOT, 'constructor').severity).toBe('warn');
});

test.each([
  [0, 'ok'],
  [-4_000, 'ok'],
  [20_000, 'warn'],
  [-20_000, 'warn'],
  [120_000, 'fail'],
  [-120_000, 'fail'],
])('a clock that is %i ms ahead: %s', (skew, severity) => {
  expect(clockFinding(skew).severity).toBe(severity);
});
