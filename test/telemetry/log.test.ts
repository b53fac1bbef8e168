import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newToken } from '../../src/domain/token.ts';
import { parseGrantId } from '../../src/domain/grant-id.ts';
import type { GrantId } from '../../src/domain/ids.ts';
import type { LogData } from '../../src/ports/log.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { scrubText } from '../../src/telemetry/scrub.ts';

const SECRETS = [
  newToken(parseGrantId('7F3K9Q') ?? ('7F3K9Q' as GrantId), (n) => randomBytes(n)),
  'syt_YWxpY2U_JIaEOKsvZHfZpAIKdWVa_4MaEpa',
  'syr_YWxpY2U_JIaEOKsvZHfZpAIKdWVa_4MaEpa',
  'mpt_abcdefghijABCDEFGHIJ0123456789_000abc',
  'mat_abcdefghijABCDEFGHIJ0123456789_000abc',
  'MDAxOGxvY2F0aW9uIGV4YW1wbGUuY29tCjAwMTNpZGVu',
];

function linesOf(
  pretty: boolean,
  write: (log: ReturnType<typeof createLog>) => void,
  level: 'debug' | 'warn' = 'debug',
): string[] {
  const lines: string[] = [];
  write(createLog({ level, pretty }, { write: (line: string) => void lines.push(line) }));
  return lines;
}

/** The data of a line, as it is written. */
function scrub(data: LogData): unknown {
  const [line = ''] = linesOf(false, (log) => log.info('x', data));
  const { level: _, at: __, event: ___, ...shown } = JSON.parse(line) as LogData;
  return shown;
}

test.each([false, true])('no token gets into a line, wherever it stands (pretty: %s)', (pretty) => {
  for (const secret of SECRETS) {
    const written = linesOf(pretty, (log) => {
      log.info(`event ${secret}`, { [secret]: 1 });
      log.warn('x', {
        problem: `GET /sync?access_token=${secret}&a=1 failed`,
        line: `x${secret}y and (${secret})`,
      });
      log.error('x', {
        problem: `header Authorization: Bearer ${secret}`,
        json: JSON.stringify({ access_token: secret }),
      });
      log.debug('x', { url: encodeURIComponent(`https://h/x?access_token=${secret}`) });
    }).join('');
    const core = secret.slice(5, 25);
    expect(written).not.toContain(core);
    expect(written.length).toBeGreaterThan(100);
  }
});

test('a token is found in the middle of any text', () => {
  const around = fc.string({ unit: 'grapheme', maxLength: 20 });
  fc.assert(
    fc.property(around, around, fc.constantFrom(...SECRETS.slice(0, 5)), (before, after, secret) => {
      expect(scrubText(`${before}${secret}${after}`)).not.toContain(secret);
    }),
  );
});

test.each([
  'token',
  'accessToken',
  'access_token',
  'password',
  'clientSecret',
  'Authorization',
  'sealedToken',
  'sealing_key',
  'seed',
])('a field called %s is hidden, whatever is in it', (name) => {
  expect(scrub({ [name]: 'plainvalue' })).toEqual({ [name]: '[hidden]' });
});

test('passwords inside a text are hidden', () => {
  expect(scrubText('login {"password":"hun\\"ter2","x":1}')).not.toContain('ter2');
  expect(scrubText("password: 'hunter2' and password=hunter2")).not.toContain('hunter2');
  expect(scrubText('Basic dXNlcjpwYXNz')).not.toContain('dXNlcjpwYXNz');
});

test('facts stay: ids, counts, durations, and the names of keys that are not secret', () => {
  const facts = {
    grant: '7F3K9Q',
    subject: '@alice:test.local',
    room: '!IPnPq_uw1fCHPBP2R0_OSR9mYolWDG5cidBO7yBwrQs',
    ms: 12,
    ok: true,
    none: null,
  };
  expect(scrub(facts)).toEqual(facts);
});

test('what is not flat is dropped, also where the types were got round', () => {
  const nested = {
    error: new Error('syt_x_y'),
    deep: { token: 'a' },
    list: ['syt_a_b'],
  } as unknown as LogData;
  expect(Object.values(scrub(nested) as object)).toEqual([
    '[not a plain value]',
    '[not a plain value]',
    '[not a plain value]',
  ]);
});

test('a line is one line: nothing logged can forge another', () => {
  for (const pretty of [false, true]) {
    const lines = linesOf(pretty, (log) => log.info('a\nb', { problem: 'x\n2026 ERROR forged' }));
    expect(lines.join('').trimEnd().split('\n')).toHaveLength(1);
  }
});

test('JSON lines carry time, level and event; quieter levels are left out', () => {
  const lines = linesOf(false, (log) => (log.info('quiet'), log.warn('loud', { count: 2 })), 'warn');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    level: 'warn',
    at: expect.stringMatching(/^\d{4}-.*Z$/),
    event: 'loud',
    count: 2,
  });
});
