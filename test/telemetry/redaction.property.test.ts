import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { GrantId } from '../../src/domain/ids.ts';
import { newToken } from '../../src/domain/token.ts';
import type { Log, LogData } from '../../src/ports/log.ts';
import { createLog } from '../../src/telemetry/log.ts';

/* Whatever is logged, and however carelessly, no token of any kind is in a line. */

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const some = (alphabet: string, length: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet.split('')), minLength: length, maxLength: length });
const digits = `${letters}0123456789`;

/** A token, and the part of it that nobody may see. */
type Token = { readonly text: string; readonly core: string };
const ours = fc.uint8Array({ minLength: 64, maxLength: 64 }).map((bytes): Token => {
  const text = newToken('7F3K9Q' as GrantId, (count) => Buffer.from(bytes.subarray(0, count)));
  return { text, core: text.slice('mwt_7F3K9Q_'.length).slice(0, 20) };
});
/**
 * https://github.com/element-hq/synapse: `syt_<base64 of the name>_<20 letters>_<check>`; `syr_` refreshes,
 * `syl_` logs in.
 */
const synapse = fc
  .tuple(fc.constantFrom('syt', 'syr', 'syl'), some(`${digits}+/`, 8), some(letters, 20), some(digits, 6))
  .map(([prefix, name, core, check]): Token => ({ text: `${prefix}_${name}_${core}_${check}`, core }));
/** The Matrix Authentication Service: `mat_<30>_<check>` and its relatives. */
const mas = fc
  .tuple(fc.constantFrom('mat', 'mar', 'mct', 'mcr', 'mpt'), some(digits, 30), some(digits, 6))
  .map(([prefix, core, check]): Token => ({ text: `${prefix}_${core}_${check}`, core }));
const macaroon = some(`${digits}-_`, 80).map((core): Token => ({ text: `MDAxOGxvY2F0aW9u${core}`, core }));
const token = fc.oneof(ours, synapse, mas, macaroon);

/** Ways to get a token into a line, and round the types. */
const CARELESS: Readonly<Record<string, (log: Log, text: string) => void>> = {
  'in the event': (log, text) => log.info(`asked with ${text}, and failed`),
  'as the event': (log, text) => log.warn(text),
  'as a key': (log, text) => log.info('x', { [text]: 1 }),
  'in a key': (log, text) => log.info('x', { [`a ${text} b`]: 'c' }),
  'as a value': (log, text) => log.error('x', { user: text }),
  'in quotes': (log, text) => log.info('x', { said: `“${text}”`, line: `'${text}'`, list: `[${text}]` }),
  'in an address': (log, text) =>
    log.info('x', { url: `https://hs.example.org/_matrix/client/v3/sync?since=s1&access_token=${text}#a` }),
  'in a path': (log, text) => log.info('x', { path: `/_matrix/${text}/sync` }),
  'in an encoded address': (log, text) =>
    log.info('x', { url: encodeURIComponent(`https://h/?a=b&access_token=${text}`) }),
  'in a header': (log, text) => log.info('x', { headers: `authorization: Bearer ${text}\r\naccept: */*` }),
  'in raw headers': (log, text) => log.info('x', { headers: ['Authorization', `Bearer ${text}`].join(', ') }),
  'in JSON': (log, text) =>
    log.info('x', { body: JSON.stringify({ a: { b: [{ access_token: text }, text] } }) }),
  'in JSON in JSON': (log, text) =>
    log.info('x', { body: JSON.stringify({ content: JSON.stringify({ t: text }) }) }),
  'in an error’s words': (log, text) =>
    log.error('x', { problem: String(new Error(`cannot use ${text}: it is over`)) }),
  'in an error’s stack': (log, text) => log.error('x', { problem: new Error(text).stack ?? '' }),
  'in an error': (log, text) =>
    log.error('x', { error: new Error(text, { cause: { text } }) } as unknown as LogData),
  nested: (log, text) => log.info('x', { a: { b: { c: [text] } } } as unknown as LogData),
  'in a list': (log, text) => log.info('x', { a: [text, [text]] } as unknown as LogData),
  'in a map': (log, text) => log.info('x', { a: new Map([[text, text]]) } as unknown as LogData),
  'in bytes': (log, text) => log.info('x', { a: Buffer.from(text) } as unknown as LogData),
  'behind toJSON': (log, text) => log.info('x', { a: { toJSON: () => text } } as unknown as LogData),
  'in a function': (log, text) => log.info('x', { a: () => text } as unknown as LogData),
  'in a symbol': (log, text) => log.info('x', { a: Symbol(text) } as unknown as LogData),
  'under a name that pino knows': (log, text) =>
    log.info('x', { err: { message: text }, req: { url: text }, msg: text } as unknown as LogData),
  'where its prototype is': (log, text) =>
    log.info('x', JSON.parse(`{"__proto__":{"a":${JSON.stringify(text)}},"b":1}`) as LogData),
};

function written(pretty: boolean, careless: (log: Log) => void): string {
  let text = '';
  careless(createLog({ level: 'debug', pretty }, { write: (line: string) => void (text += line) }));
  return text;
}

test.each(Object.entries(CARELESS))('%s', (_, careless) => {
  fc.assert(
    fc.property(token, fc.boolean(), ({ text, core }, pretty) => {
      const line = written(pretty, (log) => careless(log, text));
      expect(line).not.toContain(core);
      expect(line.trimEnd().split('\n')).toHaveLength(1);
      expect(line.length).toBeGreaterThan(20);
    }),
    { numRuns: 200 },
  );
});

test('anywhere in any text, twice, with anything around it', () => {
  const around = fc.string({ unit: 'grapheme', maxLength: 30 });
  fc.assert(
    fc.property(
      token,
      token,
      around,
      around,
      around,
      fc.boolean(),
      (a, b, before, between, after, pretty) => {
        const text = `${before}${a.text}${between} ${b.text}${after}`;
        const line = written(pretty, (log) => log.info(text, { [text]: text }));
        expect(line).not.toContain(a.core);
        expect(line).not.toContain(b.core);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('what is named as a secret is hidden, whatever it looks like', () => {
  const named = fc.constantFrom(
    'access_token',
    'refreshToken',
    'password',
    'client_secret',
    'Authorization',
    'Cookie',
    'sealing_key',
    'apiKey',
    'seed',
  );
  const secret = some(digits, 24);
  fc.assert(
    fc.property(named, secret, fc.boolean(), (name, value, pretty) => {
      const line = written(pretty, (log) => {
        log.info('x', { [name]: value });
        log.info('x', { body: JSON.stringify({ a: 1, [name]: value }), form: `a=1&${name}=${value}&b=2` });
      });
      expect(line).not.toContain(value);
    }),
  );
});
