import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { leanTransport } from '../../../../src/gateway/upstream/transport/lean-transport.ts';
import type { Transport } from '../../../../src/gateway/upstream/transport/transport.ts';
import { undiciTransport } from '../../../../src/gateway/upstream/transport/undici-transport.ts';
import { ANSWERS, type AnswerCase, CLOSED, type Outcome } from './answers.ts';
import { type RawHomeserver, rawHomeserver, writeInParts } from './raw-homeserver.ts';
import { ask, codeOf, type Recorded, settle } from './recorder.ts';
import { settled } from '../../../support/wait.ts';

const TRANSPORTS = [
  ['lean', leanTransport],
  ['undici', (url: string) => undiciTransport(url)],
] as const;

const OK = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';
const WHOLE = ['start', 'head', 'data', 'end'];

describe.each(TRANSPORTS)('%s', (name, create) => {
  let server: RawHomeserver;
  let transport: Transport;

  beforeEach(async () => {
    server = await rawHomeserver();
    transport = create(server.url);
  });
  afterEach(async () => {
    await transport.close();
    await server[Symbol.asyncDispose]();
  });

  const outcomeFor = ({ outcome, undici }: AnswerCase): Outcome =>
    name === 'undici' && undici !== undefined ? undici.outcome : outcome;
  const outcomeOf = ({ head, body, calls }: Recorded): Outcome =>
    calls.at(-1) === 'end' && head !== null ? { status: head.status, body } : 'refused';
  const always = (text: string): void => server.answer((socket: Socket) => socket.write(text, 'latin1'));

  describe('answers', () => {
    test.each(ANSWERS)('$title', async (one) => {
      server.answer((socket, { turn, connection }) =>
        turn === 0 && connection === 0 ? writeInParts(socket, one.parts) : socket.write(OK),
      );
      const expected = outcomeFor(one);
      const first = ask(transport);
      if (expected === 'waits') {
        await settle();
        expect(first.calls).not.toContain('end');
        return first.sent.abort();
      }
      expect(outcomeOf(await first.over)).toEqual(expected);
      // An error is the last word.
      expect(first.calls.filter((call) => call === 'error' || call === 'end')).toHaveLength(1);
      if (name === 'lean' && expected === 'refused') expect(codeOf(first)).toBe('invalid-response');
      await settle();
      // Whatever else came is never part of the next answer; what was refused has no next on its connection.
      expect(outcomeOf(await ask(transport).over)).toEqual({ status: 200, body: '{}' });
      const reused = server.requests[1]?.connection === 0;
      if (expected === 'refused') expect(reused).toBe(false);
      else if (one.reused !== undefined) expect(reused).toBe(one.reused);
    });

    test.each(CLOSED)('and the connection closed: $title', async (one) => {
      server.answer((socket, { connection }) => {
        if (connection === 0) socket.end(one.parts.join(''), 'latin1');
        else socket.write(OK);
      });
      const first = await ask(transport).over;
      expect(outcomeOf(first)).toEqual(outcomeFor(one));
      if (
        name === 'lean' &&
        outcomeOf(first) === 'refused' &&
        one.parts[0]?.includes('Connection: close') !== true
      )
        expect(['connection-failed', 'invalid-response']).toContain(codeOf(first));
      await settle();
      await ask(transport).over;
      expect(server.requests[1]?.connection).toBe(1);
    });

    test('the headers that are looked at', async () => {
      always(
        'HTTP/1.1 429 Too Many\r\ncontent-type: application/json; charset=utf-8\r\nRETRY-AFTER: 7 \r\n' +
          'Content-Encoding: gzip\r\nContent-Encoding: br\r\nContent-Length: 2\r\nX-Other: y\r\n\r\n{}',
      );
      const { head } = await ask(transport).over;
      expect(head).toMatchObject({
        status: 429,
        contentType: 'application/json; charset=utf-8',
        contentEncoding: 'gzip, br',
        contentLength: 2,
        retryAfter: '7',
      });
    });

    test('headers that are missing are null', async () => {
      always('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n');
      const { head } = await ask(transport).over;
      expect(head).toMatchObject({
        contentType: null,
        contentEncoding: null,
        contentLength: null,
        retryAfter: null,
      });
    });

    test('a body of several megabytes, chunked and sized', async () => {
      const body = 'abcdefghij'.repeat(400_000);
      const chunk = `fa0\r\n${body.slice(0, 4_000)}\r\n`;
      server.answer((socket, { turn }) =>
        socket.write(
          turn === 0
            ? `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
            : `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(1_000)}0\r\n\r\n`,
          'latin1',
        ),
      );
      expect((await ask(transport).over).body).toBe(body);
      expect((await ask(transport).over).body).toBe(body);
    });
  });

  describe('what is told', () => {
    test('start, head, data and end, in this order, after send has returned', async () => {
      always(OK);
      let returned = false;
      const early: boolean[] = [];
      const asked = ask(transport, {}, { onStart: () => void early.push(!returned) });
      returned = true;
      expect((await asked.over).calls).toEqual(WHOLE);
      expect(early).toEqual([false]);
    });

    test('no data where there is no body', async () => {
      always('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      expect((await ask(transport).over).calls).toEqual(['start', 'head', 'end']);
    });

    test('a body that came in one read is told in one call', async () => {
      always('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n');
      expect((await ask(transport).over).calls).toEqual(WHOLE);
    });

    test('no start where the connection is refused', async () => {
      await server[Symbol.asyncDispose]();
      const recorded = await ask(transport).over;
      expect(recorded.calls).toEqual(['error']);
      expect(codeOf(recorded)).toBe('connection-failed');
      server = await rawHomeserver();
    });

    test('an error holds nothing of the request', async () => {
      server.answer((socket) => socket.destroy());
      const { error } = await ask(transport, { headers: ['authorization', 'Bearer syt_secret'] }).over;
      expect(JSON.stringify([error, error?.message, error?.stack, error?.cause])).not.toContain('syt_secret');
      expect(error?.cause).toBeUndefined();
    });

    test.each(['onStart', 'onHead', 'onData'] as const)(
      'what a listener throws in %s is its error',
      async (hook) => {
        always(OK);
        const thrown = new Error('a bug');
        const recorded = await ask(
          transport,
          {},
          {
            [hook]: () => {
              throw thrown;
            },
          },
        ).over;
        expect(recorded.error).toBe(thrown);
        await settle();
        expect(server.connections.open).toBe(0);
        expect((await ask(transport).over).calls).toEqual(WHOLE);
      },
    );

    test.each([
      ['onEnd', () => always(OK)],
      ['onError', () => server.answer((socket) => socket.destroy())],
    ] as const)('what a listener throws in %s is uncaught', async (hook, prepare) => {
      prepare();
      const caught = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      const uncaught = new Promise((resolve) => void process.once('uncaughtException', resolve));
      const thrown = new Error('a bug');
      ask(
        transport,
        {},
        {
          [hook]: () => {
            throw thrown;
          },
        },
      );
      expect(await uncaught).toBe(thrown);
      for (const listener of caught) process.on('uncaughtException', listener);
      always(OK);
      expect((await ask(transport).over).calls).toEqual(WHOLE);
    });

    test('a listener that throws leaves those beside it alone', async () => {
      always(OK);
      const failing = {
        onStart: () => {
          throw new Error('a bug');
        },
      };
      const asked = Array.from({ length: 6 }, (_, at) => ask(transport, {}, at % 2 === 0 ? failing : {}));
      const calls = (await Promise.all(asked.map(({ over }) => over))).map((one) => one.calls);
      expect(calls).toEqual(asked.map((_, at) => (at % 2 === 0 ? ['start', 'error'] : WHOLE)));
    });
  });

  describe('what is written', () => {
    const textOf = async (...[exchange]: [Parameters<typeof ask>[1]?]): Promise<string> => {
      always(OK);
      expect((await ask(transport, exchange).over).calls).toEqual(WHOLE);
      return server.requests.at(-1)?.text ?? '';
    };

    test('a GET', async () => {
      expect(
        await textOf({ target: '/a/b?c=%20', headers: ['accept', 'x/y', 'authorization', 'Bearer t'] }),
      ).toBe(
        `GET /a/b?c=%20 HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\nconnection: keep-alive\r\n` +
          'accept: x/y\r\nauthorization: Bearer t\r\n\r\n',
      );
    });

    test('a PUT with a body, counted in bytes', async () => {
      const text = await textOf({ method: 'PUT', body: '{"a":"é€😀"}' });
      expect(text).toContain('\r\ncontent-length: 17\r\n\r\n');
      expect(Buffer.from(text, 'latin1').toString().endsWith('{"a":"é€😀"}')).toBe(true);
    });

    test('a body of Latin-1 alone, in UTF-8 all the same', async () => {
      const text = await textOf({ method: 'PUT', body: '{"a":"é"}' });
      expect(Buffer.from(text, 'latin1').toString().endsWith('{"a":"é"}')).toBe(true);
    });

    test.each(['PUT', 'POST'] as const)('a %s without a body says so', async (method) => {
      expect(await textOf({ method })).toMatch(/\r\ncontent-length: 0\r\n\r\n$/);
    });

    test('a DELETE without a body says nothing of one', async () => {
      expect(await textOf({ method: 'DELETE' })).not.toContain('content-length');
    });

    test('a DELETE with a body is the last on its connection', async () => {
      expect(await textOf({ method: 'DELETE', body: '{}' })).toMatch(/\r\ncontent-length: 2\r\n\r\n\{\}$/);
      await settle();
      await textOf();
      expect(server.requests.map(({ connection }) => connection)).toEqual([0, 1]);
    });

    test('a body of megabytes', async () => {
      const body = JSON.stringify('é'.repeat(1_000_000));
      const text = await textOf({ method: 'POST', body });
      expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe(Buffer.from(body).toString('latin1'));
    });

    test('what is asked lies below the path of the URL', async () => {
      const below = create(`${server.url}/base/`);
      always(OK);
      await ask(below, { target: '/x' }).over;
      await below.close();
      expect(server.requests[0]?.text).toMatch(/^GET \/base\/x HTTP/);
    });

    test.each([
      ['no slash', { target: 'x' }],
      ['another authority', { target: 'http://evil.test/' }],
      ['a space', { target: '/a b' }],
      ['a line end', { target: '/a\r\nx: y' }],
      ['a bare LF', { target: '/a\nb' }],
      ['NUL', { target: '/a\0b' }],
      ['DEL', { target: '/a\x7fb' }],
      ['a fragment', { target: '/a#b' }],
      ['what is not encoded', { target: '/é' }],
      ['what Latin-1 would cut to a line end', { target: '/\u010d\u010a' }],
      ['a value with a line end', { headers: ['accept', 'a\r\nx: y'] }],
      ['a value with NUL', { headers: ['accept', 'a\0'] }],
      ['a value beyond ASCII', { headers: ['accept', 'a\u010a'] }],
      ['a name with a colon', { headers: ['a:b', 'c'] }],
      ['a name with a line end', { headers: ['a\r\nb', 'c'] }],
      ['an empty name', { headers: ['', 'c'] }],
      ['a name without a value', { headers: ['accept'] }],
      ['a host', { headers: ['host', 'evil.test'] }],
      ['a length', { headers: ['content-length', '5'] }],
      ['a Transfer-Encoding', { headers: ['transfer-encoding', 'chunked'] }],
      ['a connection', { headers: ['connection', 'close'] }],
      ['an expectation', { headers: ['expect', '100-continue'] }],
      ['an upgrade', { headers: ['upgrade', 'websocket'] }],
      ['a body of a GET', { body: '{}' }],
    ])('never: %s', async (_title, exchange) => {
      always(OK);
      const recorded = await ask(transport, exchange).over;
      expect(recorded.calls).toEqual(['error']);
      expect(codeOf(recorded)).toBe('invalid-request');
      await settle();
      expect(server.connections.made).toBe(0);
    });
  });

  describe('connections', () => {
    test('are used again, one after the other', async () => {
      always(OK);
      for (let count = 0; count < 5; count++) {
        await ask(transport).over;
        await settle();
      }
      expect(server.requests.map(({ connection }) => connection)).toEqual([0, 0, 0, 0, 0]);
    });

    test('are as many as there are requests at a time', async () => {
      server.answer(() => {});
      const asked = Array.from({ length: 50 }, () => ask(transport));
      await expect.poll(() => server.requests.length).toBe(50);
      expect(server.connections.made).toBe(50);
      for (const { sent } of asked) sent.abort();
    });

    test('a hundred requests each get their own answer', async () => {
      server.answer((socket, { text }) => {
        const path = text.split(' ')[1] ?? '';
        setTimeout(
          () => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`),
          Math.random() * 5,
        );
      });
      for (let round = 0; round < 5; round++) {
        const targets = Array.from({ length: 100 }, (_, at) => `/${round}/${at}`);
        const bodies = await Promise.all(targets.map((target) => ask(transport, { target }).over));
        expect(bodies.map(({ body }) => body)).toEqual(targets);
      }
    });

    test('by a name that stands for several addresses', async () => {
      const local = create(`http://localhost:${server.port}`);
      always(OK);
      expect((await ask(local).over).calls).toEqual(WHOLE);
      await local.close();
    });

    test('to an IPv6 address', async () => {
      const six = await rawHomeserver('::1');
      const toSix = create(six.url);
      six.answer((socket) => socket.write(OK));
      expect((await ask(toSix).over).calls).toEqual(WHOLE);
      expect(six.requests[0]?.text).toContain(`\r\nhost: [::1]:${six.port}\r\n`);
      await toSix.close();
      await six[Symbol.asyncDispose]();
    });

    test('one that the server closes while it is idle is not used', async () => {
      server.answer((socket, { connection }) => {
        socket.write(OK);
        if (connection === 0) void settled(20).then(() => socket.end());
      });
      await ask(transport).over;
      await expect.poll(() => server.connections.open).toBe(0);
      expect((await ask(transport).over).calls).toEqual(WHOLE);
      expect(server.requests.map(({ connection }) => connection)).toEqual([0, 1]);
    });

    test('one that the server closes as we write: an error, and never asked again', async () => {
      server.answer((socket, { turn }) => (turn === 0 ? socket.write(OK) : socket.destroy()));
      await ask(transport).over;
      await settle();
      const recorded = await ask(transport, { method: 'PUT', body: '{}' }).over;
      expect(recorded.calls).toEqual(['start', 'error']);
      expect(codeOf(recorded)).toBe('connection-failed');
      await settle();
      expect(server.requests).toHaveLength(2);
    });

    test('bytes that come while it is idle are nobody’s answer', async () => {
      server.answer((socket, { connection }) => {
        socket.write(OK);
        if (connection === 0) void settled(20).then(() => socket.write(OK.replace('{}', '[]')));
      });
      await ask(transport).over;
      await expect.poll(() => server.connections.open).toBe(0);
      expect((await ask(transport).over).body).toBe('{}');
      expect(server.requests.map(({ connection }) => connection)).toEqual([0, 1]);
      expect(server.connections.open).toBe(1);
    });

    // GHSA-35p6-xmwp-9g52: what has come before a request is written is never its answer.
    test('nor bytes that came while we were busy', async () => {
      const sockets: Socket[] = [];
      server.answer((socket) => {
        sockets.push(socket);
        socket.write(OK);
      });
      await ask(transport).over;
      await settle();
      sockets[0]?.write(OK.replace('{}', '[]'));
      expect((await ask(transport).over).body).toBe('{}');
      expect(server.requests.map(({ connection }) => connection)).toEqual([0, 1]);
    });

    test('nor bytes that come right behind an answer, where the next request is made at once', async () => {
      const sockets: Socket[] = [];
      server.answer((socket) => {
        sockets.push(socket);
        socket.write(OK);
      });
      const next = Promise.withResolvers<Recorded>();
      const onEnd = (): void => {
        sockets[0]?.write(OK.replace('{}', '[]'));
        void ask(transport).over.then(next.resolve);
      };
      ask(transport, {}, { onEnd });
      expect((await next.promise).body).toBe('{}');
      expect(server.connections.made).toBe(2);
    });

    // undici sends the next request after the rest of the first one's body.
    test.runIf(name === 'lean')(
      'an answer before its request was written whole is the last there',
      async () => {
        const sockets: Socket[] = [];
        const slow = createServer((socket) => {
          sockets.push(socket);
          socket.once('data', () => {
            socket.pause();
            socket.write(OK);
          });
          socket.on('error', () => socket.destroy());
        });
        await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
        const toSlow = create(`http://127.0.0.1:${(slow.address() as AddressInfo).port}`);
        const recorded = await ask(toSlow, { method: 'POST', body: 'x'.repeat(20_000_000) }).over;
        expect(recorded.calls).toEqual(WHOLE);
        await settle();
        expect((await ask(toSlow).over).calls).toEqual(WHOLE);
        expect(sockets).toHaveLength(2);
        await toSlow.close();
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => slow.close(resolve));
      },
    );
  });

  describe('abort', () => {
    test('before it is on a connection: nothing is asked', async () => {
      always(OK);
      const asked = ask(transport);
      asked.sent.abort();
      await settle();
      expect(asked.calls).toEqual([]);
      expect(server.requests).toEqual([]);
    });

    test.each([['onStart'], ['onHead'], ['onData']] as const)(
      'in %s: nothing more, and no connection',
      async (hook) => {
        server.answer((socket) => writeInParts(socket, [OK.replace(': 2', ': 4'), '[]']));
        const asked = ask(transport, {}, { [hook]: () => asked.sent.abort() });
        const expected = WHOLE.slice(0, { onStart: 1, onHead: 2, onData: 3 }[hook]);
        await expect.poll(() => asked.calls).toEqual(expected);
        await expect.poll(() => server.connections.open).toBe(0);
        await settle();
        expect(asked.calls).toEqual(expected);
      },
    );

    test('while the answer is awaited: the server sees it', async () => {
      server.answer(() => {});
      const asked = ask(transport);
      await expect.poll(() => server.requests.length).toBe(1);
      asked.sent.abort();
      await expect.poll(() => server.connections.open).toBe(0);
      expect(asked.calls).toEqual(['start']);
      always(OK);
      expect((await ask(transport).over).calls).toEqual(WHOLE);
    });

    test('twice, or after the end: nothing', async () => {
      always(OK);
      const asked = ask(transport);
      await asked.over;
      asked.sent.abort();
      asked.sent.abort();
      await settle();
      await ask(transport).over;
      expect(server.connections.made).toBe(1);
    });

    test('an exchange that has ended does not end the next on its connection', async () => {
      always(OK);
      const first = ask(transport);
      await first.over;
      await settle();
      const second = ask(transport, {}, { onStart: () => first.sent.abort() });
      expect((await second.over).calls).toEqual(WHOLE);
    });
  });

  describe('close', () => {
    test('ends what is open with an error', async () => {
      server.answer(() => {});
      const asked = ask(transport);
      await expect.poll(() => server.requests.length).toBe(1);
      await transport.close();
      expect((await asked.over).calls).toEqual(['start', 'error']);
      expect(codeOf(asked)).toBe('closed');
      await expect.poll(() => server.connections.open).toBe(0);
    });

    test('and what waits', async () => {
      const asked = ask(transport);
      await transport.close();
      expect((await asked.over).calls).toEqual(['error']);
      expect(server.requests).toEqual([]);
    });

    test('twice, and with idle connections', async () => {
      always(OK);
      await ask(transport).over;
      await settle();
      await Promise.all([transport.close(), transport.close()]);
      await expect.poll(() => server.connections.open).toBe(0);
    });

    test('then nothing is asked', async () => {
      await transport.close();
      const recorded = await ask(transport).over;
      expect(recorded.calls).toEqual(['error']);
      expect(codeOf(recorded)).toBe('closed');
    });
  });
});
