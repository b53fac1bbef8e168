import type { Random } from '../../../fuzz/random.ts';

/** An answer as it is written, in Latin-1, and where it is split. */
export type MadeAnswer = { readonly bytes: Buffer; readonly splits: readonly number[] };

/** Makes an answer that is right, then in most cases breaks it in a few places. */
export function makeAnswer(random: Random): MadeAnswer {
  let text = rightAnswer(random);
  if (random.chance(0.15)) text = interim(random) + text;
  for (let left = random.pick([0, 1, 1, 1, 2, 2, 3, 5]); left > 0; left--)
    text = random.pick(MUTATIONS)(text, random);
  const bytes = Buffer.from(text, 'latin1');
  return { bytes, splits: splitsOf(bytes.length, random) };
}

function splitsOf(length: number, random: Random): number[] {
  const count = random.pick([0, 0, 1, 1, 2, 3, 8]);
  if (random.chance(0.03)) return Array.from({ length: Math.max(0, length - 1) }, (_, at) => at + 1);
  return Array.from({ length: count }, () => random.int(length + 1)).toSorted((a, b) => a - b);
}

const STATUS = [
  '200 OK',
  '200 OK',
  '200 OK',
  '200 ',
  '201 Created',
  '400 Bad',
  '404 Not Found',
  '429 Slow',
  '500 Oh',
  '502 Bad',
];
const BODIES = [
  '{}',
  '[]',
  '',
  '{"a":"b"}',
  '{"a":"0\r\n\r\nHTTP/1.1 200 OK\\r\\n"}',
  '\xe2\x82\xac',
  'x'.repeat(300),
];
const OTHERS = [
  'Server: Synapse/1.140.0',
  'Date: Mon, 30 Nov 2026 12:00:00 GMT',
  'Content-Type: application/json',
  'content-type: application/json; charset=utf-8',
  'Content-Type: text/html',
  'Retry-After: 3',
  'Content-Encoding: gzip',
  'Cache-Control: no-cache, no-store',
  'Connection: keep-alive',
  'Connection: close',
  'Connection: x, close',
  'Connection: Upgrade',
  'Upgrade: h2c',
  'Keep-Alive: timeout=5',
  'Keep-Alive: timeout=60, max=100',
  'Trailer: X',
  'X:',
  'X-Long: ' + 'y'.repeat(40),
];

function rightAnswer(random: Random): string {
  const version = random.chance(0.05) ? 'HTTP/1.0' : 'HTTP/1.1';
  const headers = random.some(OTHERS, 0.15);
  if (random.chance(0.06)) {
    const status = random.pick(['204 No Content', '304 Not Modified']);
    if (random.chance(0.3)) headers.push(`Content-Length: ${random.int(3)}`);
    return lines(random, `${version} ${status}`, headers);
  }
  const status = random.pick(STATUS);
  const body = random.pick(BODIES);
  if (random.chance(0.5)) {
    headers.push(`Content-Length: ${body.length}`);
    return lines(random, `${version} ${status}`, headers) + body;
  }
  if (random.chance(0.1)) return lines(random, `${version} ${status}`, headers) + body;
  headers.push('Transfer-Encoding: chunked');
  return lines(random, `${version} ${status}`, headers) + chunksOf(body, random);
}

function chunksOf(body: string, random: Random): string {
  let text = '';
  for (let at = 0; at < body.length;) {
    const size = 1 + random.int(body.length - at);
    text += `${random.chance(0.2) ? '0' : ''}${size.toString(16)}\r\n${body.slice(at, at + size)}\r\n`;
    at += size;
  }
  return `${text}0\r\n\r\n`;
}

function interim(random: Random): string {
  const status = random.pick([
    '102 Processing',
    '103 Early Hints',
    '103 Early Hints',
    '100 Continue',
    '101 Switch',
    '199 ?',
  ]);
  return lines(random, `HTTP/1.1 ${status}`, random.chance(0.3) ? ['Link: </x>'] : []);
}

function lines(random: Random, first: string, headers: readonly string[]): string {
  const shuffled = headers.toSorted(() => random.next() - 0.5);
  return `${[first, ...shuffled].join('\r\n')}\r\n\r\n`;
}

type Mutation = (text: string, random: Random) => string;

const BYTES = '\0\x01\t\n\v\f\r !"#+,-.0123456789:;=ABF_aef\x7f\x80\xff'.split('');
const PIECES = [
  '\r\n',
  '\n',
  '\r',
  '\n\n',
  '\r\n\r\n',
  '\r\n ',
  '\r\n\t',
  ' ',
  '\t',
  '0',
  '00',
  ',',
  ';',
  '"',
  'x',
  'Content-Length: 2\r\n',
  'Content-Length: 0\r\n',
  'Content-Length:\r\n',
  'content-length : 2\r\n',
  ', 2',
  '+',
  '-',
  '0x',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'Transfer-Encoding:chunked \r\n',
  'transfer-encoding: Chunked\r\n',
  'chunked',
  ', chunked',
  ';a=b',
  ';a="\r\n"',
  '0\r\n\r\n',
  '2\r\n{}\r\n',
  'ffffffff\r\n',
  '10000000000000002\r\n',
  'X: y\r\n',
  'X y: z\r\n',
  ': z\r\n',
  'x\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'Content-Type: text/plain\r\n',
  'Retry-After: 9\r\n',
  'Content-Encoding: br\r\n',
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}',
  'HTTP/1.0 ',
  'HTTP/2.0 ',
  'HTTP/1.1 102 Processing\r\n\r\n',
  '999',
  '\x85',
  '\xa0',
];

const MUTATIONS: readonly Mutation[] = [
  // One byte for another, put in, or left out.
  (text, random) => splice(text, random.int(text.length + 1), 1, random.pick(BYTES)),
  (text, random) => splice(text, random.int(text.length + 1), 0, random.pick(BYTES)),
  (text, random) => splice(text, random.int(text.length + 1), 1, ''),
  // A piece that means something: anywhere, at a line's beginning, before or after a line's end.
  (text, random) => splice(text, random.int(text.length + 1), 0, random.pick(PIECES)),
  (text, random) => splice(text, lineIn(text, random), 0, random.pick(PIECES)),
  (text, random) => splice(text, Math.max(0, lineIn(text, random) - 2), 0, random.pick(PIECES)),
  (text, random) => splice(text, valueIn(text, random), 0, random.pick(PIECES)),
  // A line's end, spelt otherwise.
  (text, random) =>
    splice(
      text,
      Math.max(0, lineIn(text, random) - 2),
      2,
      random.pick(['\n', '\r', '\r\r\n', '\n\r', '', '\r\n\r\n']),
    ),
  // A line twice, or left out, or somewhere else.
  (text, random) => {
    const at = lineIn(text, random);
    const line = text.slice(at, text.indexOf('\r\n', at) + 2);
    return splice(text, lineIn(text, random), 0, line);
  },
  (text, random) => {
    const at = lineIn(text, random);
    return splice(text, at, Math.max(0, text.indexOf('\r\n', at) + 2 - at), '');
  },
  // Other numbers.
  (text, random) => {
    const numbers = [...text.matchAll(/\d+/g)];
    if (numbers.length === 0) return text;
    const { 0: digits, index } = random.pick(numbers);
    return splice(
      text,
      index,
      digits.length,
      String(Math.max(0, Number(digits) + random.pick([-1, 1, 10, -10]))),
    );
  },
  // Other case.
  (text, random) => {
    const at = random.int(text.length + 1);
    const part = text.slice(at, at + 8);
    return splice(text, at, part.length, random.chance(0.5) ? part.toUpperCase() : part.toLowerCase());
  },
  // Too little, too much.
  (text, random) => text.slice(0, random.int(text.length + 1)),
  (text, random) => text + random.pick(PIECES),
  (text, random) => text + rightAnswer(random),
];

function splice(text: string, at: number, count: number, piece: string): string {
  return text.slice(0, at) + piece + text.slice(at + count);
}

/** Where some line begins. */
function lineIn(text: string, random: Random): number {
  const begins = [...text.matchAll(/\r\n/g)].map(({ index }) => index + 2);
  return begins.length === 0 ? 0 : random.pick(begins);
}

/** Where some value begins. */
function valueIn(text: string, random: Random): number {
  const begins = [...text.matchAll(/: ?/g)].map(({ 0: { length }, index }) => index + length);
  return begins.length === 0 ? 0 : random.pick(begins);
}
