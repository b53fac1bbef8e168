import { describe, expect, test } from 'vitest';
import { MAX_HEAD_BYTES, parseHead } from '../../../../src/gateway/upstream/transport/response-head.ts';
import { ANSWERS, type Outcome } from './answers.ts';
import { readIn } from './read-in.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

describe('however an answer is split', () => {
  test.each(ANSWERS)('$title', ({ parts, outcome }) => {
    const text = parts.join('');
    const bytes = Buffer.from(text, 'latin1');
    expect(outcomeOf(bytes, [])).toEqual(outcome);
    const step = Math.ceil(bytes.length / 400);
    for (let at = 1; at < bytes.length; at += step) expect(outcomeOf(bytes, [at])).toEqual(outcome);
    // Byte by byte, or in short pieces where it is long.
    const piece = Math.ceil(bytes.length / 2_000);
    const every = Array.from({ length: Math.floor((bytes.length - 1) / piece) }, (_, at) => (at + 1) * piece);
    expect(outcomeOf(bytes, every)).toEqual(outcome);
  });

  /**
   * What is too much is refused with the answer it comes with, or ends the connection where it comes later.
   */
  function outcomeOf(bytes: Buffer, at: readonly number[]): Outcome {
    const { outcome, surplus } = readIn(partsOf(bytes, at));
    return surplus ? 'refused' : outcome;
  }
});

function partsOf(bytes: Buffer, splits: readonly number[]): Buffer[] {
  return [0, ...splits].map((from, index) => bytes.subarray(from, splits[index] ?? bytes.length));
}

describe('limits', () => {
  const headOf = (length: number): Buffer => {
    const start = `${HEAD}Content-Length: 0\r\nX: `;
    return Buffer.from(`${start}${'x'.repeat(length - start.length - 4)}\r\n\r\n`);
  };

  test('a head of exactly 16 KiB is taken, one byte more is not', () => {
    expect(readIn([headOf(MAX_HEAD_BYTES)]).outcome).toEqual({ status: 200, body: '' });
    expect(readIn([headOf(MAX_HEAD_BYTES + 1)]).outcome).toBe('refused');
    expect(readIn(partsOf(headOf(MAX_HEAD_BYTES), [9_000])).outcome).toEqual({ status: 200, body: '' });
    expect(readIn(partsOf(headOf(MAX_HEAD_BYTES + 1), [9_000, 16_384])).outcome).toBe('refused');
  });

  test('a head without end is refused when it is too long, not held', () => {
    const parts = Array.from({ length: 17 }, () => Buffer.alloc(1_024, 'x'));
    expect(readIn([Buffer.from(`${HEAD}X: `), ...parts.slice(0, 15)]).outcome).toBe('waits');
    expect(readIn([Buffer.from(`${HEAD}X: `), ...parts]).outcome).toBe('refused');
  });

  test('a body of which more is to come counts for nothing', () => {
    const text = `${HEAD}Content-Length: 70000\r\n\r\n${'y'.repeat(70_000)}`;
    expect(readIn([Buffer.from(text)]).outcome).toEqual({ status: 200, body: 'y'.repeat(70_000) });
  });

  test('the largest length that is read exactly', () => {
    const head = parseHead(Buffer.from(`${HEAD}Content-Length: ${'9'.repeat(15)}\r\n\r\n`), 0, 88);
    expect(head).toMatchObject({ contentLength: 999_999_999_999_999 });
  });
});

test('what is told is told in as few calls as there were reads', () => {
  const chunks = Array.from({ length: 500 }, (_, at) => `1\r\n${at % 10}\r\n`).join('');
  const text = `${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`;
  const { outcome, calls } = readIn([Buffer.from(text)]);
  expect(outcome).toEqual({ status: 200, body: '0123456789'.repeat(50) });
  expect(calls).toEqual(['head', 'data', 'ended']);
});

test('nothing is told of a read that holds something refused', () => {
  const text = `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0;x\r\n\r\n`;
  expect(readIn([Buffer.from(text)]).calls).toEqual(['refused']);
});

test('a value is told without the white space around it', () => {
  const head = parseHead(Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: \t a/b; c=d \t\r\n\r\n'), 0, 49);
  expect(head).toMatchObject({ contentType: 'a/b; c=d' });
});

test.each(['application/jsom', 'Application/json', 'application/json;'])(
  '%s is not application/json',
  (type) => {
    const bytes = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n\r\n`);
    expect(parseHead(bytes, 0, bytes.length)).toMatchObject({ contentType: type });
  },
);
