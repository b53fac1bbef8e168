/** What an answer comes to: its status and body, that it is refused, or that more is awaited. */
export type Outcome = { readonly status: number; readonly body: string } | 'refused' | 'waits';

/** An answer as it is written, and what each transport makes of it. */
export type AnswerCase = {
  readonly title: string;
  /** Each part is written by itself. In Latin-1. */
  readonly parts: readonly string[];
  readonly outcome: Outcome;
  /** Where undici makes something else of it, and why that is known and left. */
  readonly undici?: { readonly outcome: Outcome; readonly why: string };
  /** Whether the connection is used again; only said where the answer is taken. */
  readonly reused?: boolean;
};

const OK = { status: 200, body: '{}' };
const lines = (...all: readonly string[]): string => `${all.join('\r\n')}\r\n\r\n`;
const answer = (...headers: readonly string[]): string => lines('HTTP/1.1 200 OK', ...headers);
const CHUNKED = 'Transfer-Encoding: chunked';
const LENGTH = 'Content-Length: 2';

const taken = (title: string, parts: readonly string[], more: Partial<AnswerCase> = {}): AnswerCase => ({
  title,
  parts,
  outcome: OK,
  reused: true,
  ...more,
});
const refused = (title: string, text: string, lax?: string, outcome: Outcome = OK): AnswerCase => ({
  title,
  parts: [text],
  outcome: 'refused',
  ...(lax === undefined ? {} : { undici: { outcome, why: lax } }),
});

const UNTIL_CLOSED = 'the body then ends with the connection (RFC 9112, 6.3)';
const NOT_FRAMING = 'it says nothing of where the answer ends';
const FIRST_IS_WHOLE = 'the answer itself is whole; the connection is destroyed';

/** RFC 9112 and 9110, rule by rule. */
export const ANSWERS: readonly AnswerCase[] = [
  // Framing that is taken.
  taken('a length', [`${answer(LENGTH)}{}`]),
  taken('a length, of nothing', [answer('Content-Length: 0')], { outcome: { status: 200, body: '' } }),
  taken('a length with leading zeros', [`${answer('Content-Length: 002')}{}`]),
  taken('a length after spaces', [`${answer('Content-Length: \t  2')}{}`]),
  taken('names in any case', [`${answer('cOnTeNt-LeNgTh: 2')}{}`]),
  taken('no reason', [`${lines('HTTP/1.1 200 ', LENGTH)}{}`]),
  taken('a reason beyond ASCII', [`${lines('HTTP/1.1 200 \xfcber', LENGTH)}{}`]),
  taken('values beyond ASCII', [`${answer(LENGTH, 'Server: \xfcber')}{}`]),
  taken('an empty value', [`${answer(LENGTH, 'Server:')}{}`]),
  taken('chunks', [`${answer(CHUNKED)}2\r\n{}\r\n0\r\n\r\n`]),
  taken('many chunks', [`${answer(CHUNKED)}1\r\n{\r\n0001\r\n}\r\n0\r\n\r\n`]),
  taken(
    'a chunk of ten bytes in either case',
    [`${answer(CHUNKED)}a\r\n{"a":"bc"}\r\nA\r\n{"a":"bc"}\r\n0\r\n\r\n`],
    {
      outcome: { status: 200, body: '{"a":"bc"}{"a":"bc"}' },
    },
  ),
  taken('chunked in capitals', [`${answer('Transfer-Encoding: Chunked')}2\r\n{}\r\n0\r\n\r\n`]),
  taken('no chunk but the last', [`${answer(CHUNKED)}0\r\n\r\n`], { outcome: { status: 200, body: '' } }),
  taken('204', [lines('HTTP/1.1 204 No Content', 'Server: x')], { outcome: { status: 204, body: '' } }),
  taken('204 with a length of 0', [lines('HTTP/1.1 204 No Content', 'Content-Length: 0')], {
    outcome: { status: 204, body: '' },
  }),
  taken('304', [lines('HTTP/1.1 304 Not Modified', 'ETag: "x"')], { outcome: { status: 304, body: '' } }),
  taken(
    '304 with the length of what it stands for',
    [lines('HTTP/1.1 304 Not Modified', 'Content-Length: 9')],
    {
      outcome: { status: 304, body: '' },
      reused: false,
    },
  ),
  taken('errors with a body', [`${lines('HTTP/1.1 404 Not Found', LENGTH)}{}`], {
    outcome: { status: 404, body: '{}' },
  }),
  taken('interim answers', [
    lines('HTTP/1.1 102 Processing') + lines('HTTP/1.1 103 Early Hints', 'Link: x') + `${answer(LENGTH)}{}`,
  ]),
  // Split anywhere.
  taken('a head in parts', ['HTTP/1.', '1 200 O', 'K\r', '\nContent-Le', 'ngth: ', '2\r\n\r', '\n{}']),
  taken('an interim answer in parts', [
    'HTTP/1.1 102 P\r\n',
    '\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}',
  ]),
  taken('a body in parts', [`${answer(LENGTH)}{`, '}']),
  taken('chunks in parts', [answer(CHUNKED), '2', '\r', '\n', '{', '}', '\r', '\n0', '\r\n\r', '\n']),
  // What becomes of the connection.
  taken('close', [`${answer(LENGTH, 'Connection: close')}{}`], { reused: false }),
  taken('close in a list, in capitals', [`${answer(LENGTH, 'Connection: x, CLOSE')}{}`], { reused: false }),
  taken('close in a second line', [`${answer(LENGTH, 'Connection: keep-alive', 'Connection: close')}{}`], {
    reused: false,
  }),
  taken('keep-alive', [`${answer(LENGTH, 'Connection: keep-alive')}{}`]),
  taken('a server that keeps it for a second', [`${answer(LENGTH, 'Keep-Alive: timeout=1')}{}`], {
    reused: false,
  }),
  taken('a server that keeps it for long', [`${answer(LENGTH, 'Keep-Alive: timeout=60, max=100')}{}`]),
  taken(
    'a server that says two times',
    [`${answer(LENGTH, 'Keep-Alive: timeout=0', 'Keep-Alive: timeout=60')}{}`],
    {
      reused: false,
    },
  ),
  taken('HTTP/1.0', [`${lines('HTTP/1.0 200 OK', LENGTH)}{}`], { reused: false }),

  // The status line.
  refused('no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'),
  refused('HTTP/2', `${lines('HTTP/2.0 200 OK', LENGTH)}{}`, 'it is read as HTTP/1.1'),
  refused('HTTP/1.2', `${lines('HTTP/1.2 200 OK', LENGTH)}{}`),
  refused('a version in small letters', `${lines('http/1.1 200 OK', LENGTH)}{}`),
  refused('a status of two digits', `${lines('HTTP/1.1 20 OK', LENGTH)}{}`),
  refused('a status of four digits', `${lines('HTTP/1.1 2000 OK', LENGTH)}{}`),
  refused('a status with a letter', `${lines('HTTP/1.1 2OK', LENGTH)}{}`),
  refused('a status below 100', `${lines('HTTP/1.1 099 OK', LENGTH)}{}`),
  refused('a status above 599', `${lines('HTTP/1.1 600 OK', LENGTH)}{}`, 'any three digits pass', {
    status: 600,
    body: '{}',
  }),
  refused('two spaces in the status line', `${lines('HTTP/1.1  200 OK', LENGTH)}{}`),
  refused('a tab in the status line', `${lines('HTTP/1.1\t200 OK', LENGTH)}{}`),
  refused('no space after the status', `${lines('HTTP/1.1 200', LENGTH)}{}`, NOT_FRAMING),
  refused('an empty line before the status line', `\r\n${answer(LENGTH)}{}`, NOT_FRAMING),
  refused('a space before the status line', ` ${answer(LENGTH)}{}`),
  refused('a control in the reason', `${lines('HTTP/1.1 200 O\x01K', LENGTH)}{}`, NOT_FRAMING),
  refused('NUL in the reason', `${lines('HTTP/1.1 200 O\x00K', LENGTH)}{}`, NOT_FRAMING),
  refused('a bare LF after the status line', `HTTP/1.1 200 OK\n${LENGTH}\r\n\r\n{}`),
  refused('a bare CR in the reason', `${lines('HTTP/1.1 200 O\rK', LENGTH)}{}`),

  // Header names and values.
  refused('a space before the colon', `${answer('Content-Length : 2')}{}`),
  refused('a name with a space', `${answer(LENGTH, 'X Y: z')}{}`),
  refused('a name with a control', `${answer(LENGTH, 'X\x01: z')}{}`),
  refused('a name beyond ASCII', `${answer(LENGTH, 'X\xfc: z')}{}`),
  refused('an empty name', `${answer(LENGTH, ': z')}{}`),
  refused('a line without a colon', `${answer(LENGTH, 'X')}{}`),
  refused('a folded value', `${answer(LENGTH, 'X: a', ' b')}{}`),
  refused('a folded length', `${answer('Content-Length:', ' 2')}{}`),
  refused('NUL in a value', `${answer(LENGTH, 'X: a\x00b')}{}`),
  refused('a control in a value', `${answer(LENGTH, 'X: a\x01b')}{}`),
  refused('DEL in a value', `${answer(LENGTH, 'X: a\x7fb')}{}`),
  refused('a bare LF in a value', `${answer(LENGTH, 'X: a\nY: b')}{}`),
  refused('a bare CR in a value', `${answer(LENGTH, 'X: a\rY: b')}{}`),
  refused('a bare LF at the end of the head', `HTTP/1.1 200 OK\r\n${LENGTH}\r\n\n{}`),
  refused('a bare CR at the end of the head', `HTTP/1.1 200 OK\r\n${LENGTH}\r\n\r{}`),

  // Lengths.
  refused('a length that is empty', `${answer('Content-Length:')}{}`),
  refused('a length with a sign', `${answer('Content-Length: +2')}{}`),
  refused('a negative length', `${answer('Content-Length: -2')}{}`),
  refused('a length with a letter', `${answer('Content-Length: 2a')}{}`),
  refused('a hexadecimal length', `${answer('Content-Length: 0x2')}{}`),
  refused('a length with a space after it', `${answer('Content-Length: 2 ')}{}`),
  refused('a length with a space in it', `${answer('Content-Length: 2 2')}{}`),
  refused('a fraction', `${answer('Content-Length: 2.0')}{}`),
  refused('a list of lengths', `${answer('Content-Length: 2, 2')}{}`),
  refused('two lengths', `${answer(LENGTH, 'Content-Length: 3')}{}`),
  refused('the same length twice', `${answer(LENGTH, LENGTH)}{}`),
  refused(
    'a length of more than fifteen digits',
    `${answer(`Content-Length: ${'9'.repeat(16)}`)}{}`,
    'up to 64 bits pass',
    'waits',
  ),
  refused('a length beyond 64 bits', `${answer(`Content-Length: ${'9'.repeat(30)}`)}{}`),

  // Transfer-Encoding.
  refused('chunked and a length', `${answer(CHUNKED, LENGTH)}2\r\n{}\r\n0\r\n\r\n`),
  refused('a length and chunked', `${answer(LENGTH, CHUNKED)}2\r\n{}\r\n0\r\n\r\n`),
  refused(
    'gzip, chunked',
    `${answer('Transfer-Encoding: gzip, chunked')}2\r\n{}\r\n0\r\n\r\n`,
    'chunked is the last',
    OK,
  ),
  refused('chunked twice', `${answer(CHUNKED, CHUNKED)}2\r\n{}\r\n0\r\n\r\n`, 'chunked is the last', OK),
  refused(
    'chunked in a list',
    `${answer('Transfer-Encoding: chunked, chunked')}2\r\n{}\r\n0\r\n\r\n`,
    'chunked is the last',
    OK,
  ),
  refused(
    'chunked with a parameter',
    `${answer('Transfer-Encoding: chunked;q=1')}2\r\n{}\r\n0\r\n\r\n`,
    UNTIL_CLOSED,
    'waits',
  ),
  refused('chunked with a vertical tab', `${answer('Transfer-Encoding: \x0bchunked')}2\r\n{}\r\n0\r\n\r\n`),
  refused(
    'chunked with a tab after it',
    `${answer('Transfer-Encoding: chunked\t')}2\r\n{}\r\n0\r\n\r\n`,
    UNTIL_CLOSED,
    'waits',
  ),
  refused(
    'chunked with a space after it',
    `${answer('Transfer-Encoding: chunked ')}2\r\n{}\r\n0\r\n\r\n`,
    'it is read as chunked',
  ),
  refused('identity', `${answer('Transfer-Encoding: identity')}{}`, UNTIL_CLOSED, 'waits'),
  refused(
    'an empty Transfer-Encoding',
    `${answer('Transfer-Encoding:')}2\r\n{}\r\n0\r\n\r\n`,
    UNTIL_CLOSED,
    'waits',
  ),
  refused(
    'chunked in HTTP/1.0',
    `${lines('HTTP/1.0 200 OK', CHUNKED)}2\r\n{}\r\n0\r\n\r\n`,
    'it is read as in 1.1',
    OK,
  ),

  // Chunks.
  refused('an empty chunk size', `${answer(CHUNKED)}\r\n{}\r\n0\r\n\r\n`),
  refused('a chunk size with a sign', `${answer(CHUNKED)}+2\r\n{}\r\n0\r\n\r\n`),
  refused('a chunk size with 0x', `${answer(CHUNKED)}0x2\r\n{}\r\n0\r\n\r\n`),
  refused('a chunk size after a space', `${answer(CHUNKED)} 2\r\n{}\r\n0\r\n\r\n`),
  refused('a chunk size before a space', `${answer(CHUNKED)}2 \r\n{}\r\n0\r\n\r\n`),
  refused(
    'a chunk size of nine digits',
    `${answer(CHUNKED)}000000002\r\n{}\r\n0\r\n\r\n`,
    'leading zeros pass',
  ),
  refused('a chunk size beyond 64 bits', `${answer(CHUNKED)}${'f'.repeat(17)}\r\n{}\r\n0\r\n\r\n`),
  refused(
    'a chunk extension',
    `${answer(CHUNKED)}2;a=b\r\n{}\r\n0\r\n\r\n`,
    'it is ignored, as RFC 9112, 7.1.1 has it',
  ),
  refused('a bare LF after a chunk size', `${answer(CHUNKED)}2\n{}\r\n0\r\n\r\n`),
  refused('a bare LF after a chunk', `${answer(CHUNKED)}2\r\n{}\n0\r\n\r\n`),
  refused('a chunk that is longer than it says', `${answer(CHUNKED)}1\r\n{}\r\n0\r\n\r\n`),
  refused(
    'a trailer',
    `${answer(CHUNKED)}2\r\n{}\r\n0\r\nX: y\r\n\r\n`,
    'it is ignored, as RFC 9112, 7.1.2 has it',
  ),
  refused('a trailer with a length', `${answer(CHUNKED)}2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n`),
  refused('a bare LF at the end of the chunks', `${answer(CHUNKED)}2\r\n{}\r\n0\r\n\n`),

  // Bodies where none may be.
  refused('a body on 204', `${lines('HTTP/1.1 204 No Content', LENGTH)}{}`, FIRST_IS_WHOLE, {
    status: 204,
    body: '',
  }),
  refused('chunks on 204', `${lines('HTTP/1.1 204 No Content', CHUNKED)}0\r\n\r\n`, FIRST_IS_WHOLE, {
    status: 204,
    body: '',
  }),
  refused('bytes after 204', `${lines('HTTP/1.1 204 No Content')}{}`, FIRST_IS_WHOLE, {
    status: 204,
    body: '',
  }),
  refused('a body on 304', `${lines('HTTP/1.1 304 Not Modified', LENGTH)}{}`, FIRST_IS_WHOLE, {
    status: 304,
    body: '',
  }),
  refused('chunks on 304', `${lines('HTTP/1.1 304 Not Modified', CHUNKED)}0\r\n\r\n`, FIRST_IS_WHOLE, {
    status: 304,
    body: '',
  }),
  refused(
    'a length on an interim answer',
    lines('HTTP/1.1 102 Processing', LENGTH) + `${answer(LENGTH)}{}`,
    'it is ignored: an interim answer has no body',
  ),
  refused(
    'chunks on an interim answer',
    lines('HTTP/1.1 102 Processing', CHUNKED) + `${answer(LENGTH)}{}`,
    'it is ignored: an interim answer has no body',
  ),

  // What was not asked for.
  refused('100', lines('HTTP/1.1 100 Continue') + `${answer(LENGTH)}{}`),
  refused('101', lines('HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: upgrade')),
  refused('101 without a word of what', lines('HTTP/1.1 101 Switching Protocols') + `${answer(LENGTH)}{}`),
  refused(
    'interim answers without end',
    lines('HTTP/1.1 102 Processing').repeat(9) + `${answer(LENGTH)}{}`,
    'it counts none',
  ),
  refused(
    'an interim answer that ends the connection',
    lines('HTTP/1.1 102 Processing', 'Connection: close') + `${answer(LENGTH)}{}`,
  ),
  refused('an interim answer in HTTP/1.0', lines('HTTP/1.0 102 Processing') + `${answer(LENGTH)}{}`),
  refused('a second answer', `${answer(LENGTH)}{}${answer(LENGTH)}{}`, FIRST_IS_WHOLE),
  refused('bytes after the length', `${answer(LENGTH)}{}x`, FIRST_IS_WHOLE),
  refused('a line end after the length', `${answer(LENGTH)}{}\r\n`, FIRST_IS_WHOLE),
  refused('bytes after the last chunk', `${answer(CHUNKED)}2\r\n{}\r\n0\r\n\r\nx`, FIRST_IS_WHOLE),

  // Said twice.
  refused(
    'two types',
    `${answer(LENGTH, 'Content-Type: application/json', 'Content-Type: text/html')}{}`,
    NOT_FRAMING,
  ),
  refused('Retry-After twice', `${answer(LENGTH, 'Retry-After: 1', 'Retry-After: 2')}{}`, NOT_FRAMING),

  // Limits.
  refused('a head of more than 16 KiB', `${answer(LENGTH, `X: ${'x'.repeat(16_384)}`)}{}`),
  refused('a name without end', `HTTP/1.1 200 OK\r\n${'x'.repeat(20_000)}`),
  refused('a reason without end', `HTTP/1.1 200 ${'x'.repeat(20_000)}`, 'it counts headers alone', 'waits'),
  refused(
    'more than 128 headers',
    `${answer(LENGTH, ...Array.from({ length: 128 }, (_, at) => `X${at}: y`))}{}`,
    'it counts bytes alone',
  ),
];

/** Answers that the server ends by closing the connection. */
export const CLOSED: readonly AnswerCase[] = [
  refused('nothing at all', ''),
  refused('half a status line', 'HTTP/1.1 20'),
  refused('half a head', 'HTTP/1.1 200 OK\r\nContent-'),
  refused('an interim answer alone', lines('HTTP/1.1 102 Processing')),
  refused('less than its length', `${answer('Content-Length: 3')}{}`),
  refused('no last chunk', `${answer(CHUNKED)}2\r\n{}\r\n`),
  refused('half the last chunk', `${answer(CHUNKED)}2\r\n{}\r\n0\r\n`),
  refused(
    'a body that ends with the connection',
    `${answer('Connection: close')}{}`,
    'RFC 9112, 6.3 allows it',
  ),
  refused('such a body in HTTP/1.0', `${lines('HTTP/1.0 200 OK')}{}`, 'RFC 9112, 6.3 allows it'),
  { ...taken('a whole answer', [`${answer(LENGTH)}{}`]), reused: false },
];
