import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { evaluateControlRoom, evaluatePower } from '../../src/app/doctor/control-room.ts';
import { evaluateDevice } from '../../src/app/doctor/device.ts';
import { evaluateDisk } from '../../src/app/doctor/disk.ts';
import { fail, ok, warn } from '../../src/app/doctor/finding.ts';
import { clockFinding } from '../../src/app/doctor/homeserver.ts';
import {
  type CheckId,
  checksInMarkdown,
  exitStatusOf,
  type Finding,
  renderFindings,
  toReport,
} from '../../src/app/doctor/index.ts';
import { shellQuote } from '../../src/app/doctor/shell.ts';
import { evaluateVersion } from '../../src/app/doctor/versions.ts';
import { parseRoomPower } from '../../src/domain/power.ts';
import { canonicalJson } from '../../src/domain/audit.ts';
import type { RoomId, UserId } from '../../src/domain/ids.ts';
import type { ControlRoomState } from '../../src/ports/chat.ts';

const BOT = '@bot:test.local' as UserId;
const YOU = '@you:test.local' as UserId;
const EVE = '@eve:test.local' as UserId;
const config = {
  admins: [YOU],
  control_room: '!control' as RoomId,
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
  replacedBy: null,
};

const bad = (findings: readonly Finding[]) => findings.filter(({ severity }) => severity !== 'ok');

test.each<[Partial<ControlRoomState>, CheckId, string, RegExp]>([
  [{ botJoined: false }, 'control-room', 'fail', /bot is not in/],
  [{ encrypted: false }, 'control-room-encryption', 'fail', /not encrypted/],
  [{ joinRule: 'public' }, 'control-room-access', 'fail', /without an invitation \(public\)/],
  [{ joinRule: 'restricted' }, 'control-room-access', 'fail', /restricted/],
  [{ joinRule: 'knock' }, 'control-room-access', 'fail', /knock/],
  [{ guestsAllowed: true }, 'control-room-access', 'fail', /Guests/],
  [{ worldReadable: true }, 'control-room-history', 'fail', /read by anyone/],
  [{ joined: [BOT, YOU, EVE] }, 'control-room-members', 'warn', /@eve:test\.local/],
  [{ invited: [EVE] }, 'control-room-members', 'warn', /@eve:test\.local/],
  [{ joined: [BOT], invited: [YOU] }, 'control-room-admins', 'warn', /Not in it: @you/],
])('a control room with %j', (change, id, severity, says) => {
  expect(bad(evaluateControlRoom(config, good))).toEqual([]);
  expect(bad(evaluateControlRoom(config, { ...good, ...change }))).toMatchObject([
    { id, severity, found: expect.stringMatching(says) },
  ]);
});

test('what others wrote into the room moves nobody’s terminal', () => {
  const evil = '\u001b[2J\u202ex'.repeat(50);
  const findings = [
    ...evaluateControlRoom(config, { ...good, joinRule: evil }),
    evaluatePower(
      config,
      good,
      parseRoomPower(create('12'), { ...levels, users: { [evil]: 100, [EVE]: 100 } }),
    ),
  ];
  expect(renderFindings(findings)).toMatch(/without an invitation/);
  expect(renderFindings(findings)).not.toMatch(/[\u001b\u202e]/);
});

const levels = {
  users: { [YOU]: 100 },
  users_default: 0,
  events_default: 0,
  state_default: 100,
  invite: 100,
  kick: 100,
};
const create = (version: string, more: object = {}) => ({
  type: 'm.room.create',
  state_key: '',
  sender: BOT,
  content: { room_version: version, ...more },
});

test.each<[string, unknown, unknown, string, RegExp]>([
  ['version 12, as init makes it', create('12'), levels, 'ok', /Only admins and the bot/],
  [
    'version 11',
    create('11'),
    { ...levels, users: { [YOU]: 100, [BOT]: 100 } },
    'ok',
    /Only admins and the bot/,
  ],
  ['a creator who is no admin', create('12', { additional_creators: [EVE] }), levels, 'fail', /@eve/],
  ['somebody who is not in it yet', create('12'), { ...levels, users: { [EVE]: 100 } }, 'fail', /@eve/],
  ['everybody may invite', create('12'), { ...levels, invite: 0 }, 'fail', /Every member/],
  ['everybody may change its state', create('12'), { ...levels, state_default: 0 }, 'fail', /Every member/],
  [
    'everybody may change one thing',
    create('12'),
    { ...levels, events: { 'm.room.join_rules': 0 } },
    'fail',
    /Every member/,
  ],
  [
    'everybody may remove people',
    create('12'),
    { ...levels, users_default: 50, kick: 50 },
    'fail',
    /Every member/,
  ],
  ['nobody may', create('11'), { ...levels, users: {} }, 'warn', /Nobody in it may/],
  ['no create event', null, levels, 'warn', /cannot be told/],
])('power in the control room: %s', (_, event, content, severity, says) => {
  expect(evaluatePower(config, good, parseRoomPower(event, content))).toMatchObject({
    severity,
    found: expect.stringMatching(says),
  });
});

test.each<['node-version' | 'sqlite-version' | 'synapse-version', string, string]>([
  ['node-version', '24.12.0', 'ok'],
  ['node-version', '24.11.1', 'fail'],
  ['node-version', '22.9.1', 'fail'],
  ['sqlite-version', '3.51.2', 'warn'],
  ['sqlite-version', '3.51.3', 'ok'],
  ['sqlite-version', '3.52.0', 'warn'],
  ['sqlite-version', '3.53.4', 'ok'],
  ['synapse-version', '1.98.0', 'fail'],
  ['synapse-version', '1.138.3', 'warn'],
  ['synapse-version', '1.139.1', 'warn'],
  ['synapse-version', '1.157.2', 'ok'],
  ['synapse-version', '1.163.2rc1', 'ok'],
  ['synapse-version', '2', 'ok'],
])('%s %s: %s', (id, version, severity) => {
  expect(evaluateVersion(id, version).severity).toBe(severity);
});

const MIB = 1_048_576;
test.each<[number, number | null, string]>([
  [31 * MIB, 10_000, 'fail'],
  [100 * MIB, 10_000, 'warn'],
  [20_000 * MIB, 10_000, 'ok'],
  [20_000 * MIB, 100, 'fail'],
  [20_000 * MIB, null, 'ok'],
])('%i bytes and %s files free: %s', (freeBytes, freeFiles, severity) => {
  expect(evaluateDisk({ folder: '/state', freeBytes, freeFiles }).severity).toBe(severity);
});

test.each([
  "it's",
  '$(touch pwned)',
  '`touch pwned`',
  'a b',
  '; touch pwned #',
  '',
  '"',
  '!x',
  "'; touch pwned; '",
  '\\',
  '-n',
  '*',
])('a shell takes %j as one word, as it is', (word) => {
  expect(execFileSync('sh', ['-c', `printf %s ${shellQuote(word)}`], { encoding: 'utf8' })).toBe(word);
});

describe('what scripts read', () => {
  const findings = [
    ok('clock', 'Fine.'),
    warn('bot-rate-limit', 'Slow.', { command: 'do it' }),
    fail('ledger', 'Gone.'),
  ];

  test('is a report with a version, the worst of it and each finding whole', () => {
    expect(toReport(findings)).toEqual({
      version: 1,
      worst: 'fail',
      findings: [
        { id: 'clock', severity: 'ok', found: 'Fine.', why: null, mend: null, command: null },
        {
          id: 'bot-rate-limit',
          severity: 'warn',
          found: 'Slow.',
          why: expect.any(String),
          mend: expect.any(String),
          command: 'do it',
        },
        {
          id: 'ledger',
          severity: 'fail',
          found: 'Gone.',
          why: expect.any(String),
          mend: expect.any(String),
          command: null,
        },
      ],
    });
  });

  test('ends with a status by what is worst', () => {
    const [well, odd] = findings as [Finding, Finding];
    expect([exitStatusOf([well], false), exitStatusOf([well], true)]).toEqual([0, 0]);
    expect([exitStatusOf([well, odd], false), exitStatusOf([well, odd], true)]).toEqual([0, 3]);
    expect([exitStatusOf(findings, false), exitStatusOf(findings, true)]).toEqual([1, 1]);
  });

  test('is told to people with its reason, its fix and its command', () => {
    expect(renderFindings(findings)).toMatch(
      /^ok {4}clock +Fine\.\nWARN {2}bot-rate-limit +Slow\.\n.*\n +→ \S.*\n +do it\nFAIL {2}ledger +Gone\./,
    );
    expect(renderFindings(findings)).toMatch(/\n\n1 must be fixed; 1 to look at; 1 well\.\n$/);
  });
});

test('the page about doctor lists every check as it is', async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/doctor.md'), 'utf8');
  const table = (text: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split('|').map((cell) => cell.trim()));
  expect(table(page)).toEqual(table(checksInMarkdown()));
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
    evaluateDevice(
      {
        device_keys: { [BOT]: { DEV: dev } },
        self_signing_keys: { [BOT]: ssk },
        master_keys: { [BOT]: masterKey },
      },
      BOT,
      id,
    ).at(-1)?.severity;
  expect(judge({ ...signed(device, self), unsigned: { device_display_name: 'x' } })).toBe('ok');
  expect(judge(device)).toBe('fail');
  expect(judge({ ...signed(device, self), algorithms: ['b'] })).toBe('fail');
  expect(judge({ ...device, signatures: { [BOT]: { [`ed25519:${key(self)}`]: 'AAAA' } } })).toBe('fail');
  expect(judge(signed(device, pair()))).toBe('fail');
  expect(judge(signed(device, self), signed(selfKey, pair()))).toBe('fail');
  expect(judge(signed(device, self), selfKey)).toBe('fail');
  expect(judge(signed(device, self), undefined, 'OTHER')).toBe('warn');
  expect(evaluateDevice({}, BOT, 'constructor')).toMatchObject([{ id: 'bot-device', severity: 'warn' }]);
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
