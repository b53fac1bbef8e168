import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { getRequestFn, MatrixError } from 'matrix-bot-sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  sendRequest,
  type RequestParameters,
  type RequestResponse,
} from '../../../src/matrix/request/send-request.ts';
import { realTime, settled } from '../../support/wait.ts';

interface Seen {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingMessage['headers'];
  body: Buffer;
  port: number | undefined;
}

describe('the request function', () => {
  let server: Server;
  let base: string;
  let seen: Seen[];
  let answer: (response: ServerResponse, request: Seen) => void;

  const send = (
    parameters: RequestParameters,
  ): Promise<{ response: RequestResponse; body: string | Buffer }> =>
    new Promise((resolve, reject) => {
      sendRequest(parameters, (error, response, body) => {
        if (error) reject(error);
        else resolve({ response: response as RequestResponse, body: body as string | Buffer });
      });
    });

  beforeEach(async () => {
    seen = [];
    answer = (response) => response.end('{}');
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { method, url, headers, socket } = request;
        seen.push({ method, url, headers, body: Buffer.concat(parts), port: socket.remotePort });
        answer(response, seen.at(-1) as Seen);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('sends method, query, headers and text, and answers status, headers and text', async () => {
    answer = (response) =>
      response.writeHead(201, { 'X-Thing': 'yes', 'Set-Cookie': ['a=1', 'b=2'] }).end('{"ü":1}');
    const { response, body } = await send({
      uri: `${base}/_matrix/x%2Fy`,
      method: 'PUT',
      qs: { via: ['a.test', 'b.test'], text: 'ü &=', empty: '', no: undefined, nor: null, n: 0, is: false },
      headers: { Authorization: 'Bearer t', 'Content-Type': 'application/json' },
      body: '{"a":"ä"}',
    });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({
      method: 'PUT',
      url: '/_matrix/x%2Fy?via=a.test&via=b.test&text=%C3%BC+%26%3D&empty=&n=0&is=false',
      headers: { authorization: 'Bearer t', 'content-type': 'application/json', 'content-length': '10' },
    });
    expect(seen[0]?.headers).not.toHaveProperty('cookie');
    expect(seen[0]?.body.toString()).toBe('{"a":"ä"}');
    expect(response).toMatchObject({
      statusCode: 201,
      headers: { 'x-thing': 'yes', 'set-cookie': ['a=1', 'b=2'] },
    });
    expect(body).toBe('{"ü":1}');
    expect(response.body).toBe(body);
  });

  it('adds to a query that is there', async () => {
    await send({ uri: `${base}/x?a=1`, qs: { b: 2 } });
    await send({ uri: `${base}/x?a=1`, qs: {} });
    await send({ uri: `${base}/x`, qs: null });
    expect(seen.map(({ url }) => url)).toEqual(['/x?a=1&b=2', '/x?a=1', '/x']);
  });

  it('sends and answers bytes untouched', async () => {
    const bytes = Buffer.from([0, 255, 128, 195, 40]);
    answer = (response, request) => response.end(request.body);
    const { body } = await send({ uri: base, method: 'POST', body: bytes, encoding: null });
    expect(seen[0]?.body).toEqual(bytes);
    expect(body).toBeInstanceOf(Buffer);
    expect(body).toEqual(bytes);
  });

  it('answers an error status as a response, not as an error', async () => {
    answer = (response) => response.writeHead(403).end('{"errcode":"M_FORBIDDEN"}');
    expect((await send({ uri: base })).response).toMatchObject({
      statusCode: 403,
      body: '{"errcode":"M_FORBIDDEN"}',
    });
  });

  it('keeps the connection', async () => {
    for (let count = 0; count < 3; count++) {
      await send({ uri: base });
      await settled(); // the connection is free just after the answer
    }
    expect(new Set(seen.map(({ port }) => port)).size).toBe(1);
  });

  it('follows no redirect, which could carry the token elsewhere', async () => {
    answer = (response) => response.writeHead(302, { Location: `${base}/elsewhere` }).end();
    const { response } = await send({ uri: base, headers: { Authorization: 'Bearer t' } });
    expect(response.statusCode).toBe(302);
    expect(seen).toHaveLength(1);
  });

  it('gives up with ESOCKETTIMEDOUT when no answer begins in time, once', async () => {
    answer = () => {};
    const startedAt = Date.now();
    await expect(send({ uri: base, timeout: 80 })).rejects.toMatchObject({ code: 'ESOCKETTIMEDOUT' });
    expect(Date.now() - startedAt).toBeLessThan(2000);
    expect(seen).toHaveLength(1);
  });

  it('takes a timeout of null for none of its own, as downloads have it', async () => {
    // Later than a timeout of 0.
    answer = (response) => void realTime(20).then(() => response.end('late'));
    expect((await send({ uri: base, timeout: null })).body).toBe('late');
  });

  it('gives up with ESOCKETTIMEDOUT when an answer stops half-way', async () => {
    answer = (response) => void response.writeHead(200).write('{"half":');
    await expect(send({ uri: base, timeout: 80 })).rejects.toMatchObject({ code: 'ESOCKETTIMEDOUT' });
  });

  it('lets an answer that has begun take longer than the timeout', async () => {
    answer = (response) => {
      let count = 0;
      const timer = setInterval(() => {
        response.write('x');
        if (++count < 6) return;
        clearInterval(timer);
        response.end();
      }, 100);
    };
    expect((await send({ uri: base, timeout: 500 })).body).toBe('xxxxxx');
  });

  it('gives up in time when nobody takes the connection up', async () => {
    const silent = createTcpServer((socket) => socket.resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const uri = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    await expect(send({ uri, timeout: 80 })).rejects.toMatchObject({ code: 'ESOCKETTIMEDOUT' });
    await new Promise((resolve) => silent.close(resolve));
  });

  it('names a refused and a cut connection by code, and does not try again', async () => {
    await expect(send({ uri: 'http://127.0.0.1:1' })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    answer = (response) => response.destroy();
    await expect(send({ uri: base, method: 'PUT', body: 'x' })).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(seen).toHaveLength(1);
  });

  it('keeps tokens out of its errors', async () => {
    const failures = await Promise.all(
      ['http://127.0.0.1:1/?access_token=secret', 'not a url secret'].map((uri) =>
        send({ uri, headers: { Authorization: 'Bearer secret' }, body: 'secret' }).catch(
          (error: unknown) => error,
        ),
      ),
    );
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(Error);
      const { message, stack, ...rest } = failure as Error;
      expect(`${message} ${stack} ${JSON.stringify(rest)}`).not.toContain('secret');
    }
  });

  it('serves matrix-bot-sdk', async () => {
    expect(getRequestFn()).toBe(sendRequest);
    const root = createRequire(import.meta.url);
    const { doHttpRequest } = createRequire(root.resolve('matrix-bot-sdk'))('./http.js') as {
      doHttpRequest: (base: string, method: string, endpoint: string, ...rest: unknown[]) => Promise<unknown>;
    };
    answer = (response, { url, body }) => {
      if (url === '/bad') response.writeHead(404).end('{"errcode":"M_NOT_FOUND","error":"no"}');
      else response.end(JSON.stringify({ got: body.toString() }));
    };
    expect(await doHttpRequest(base, 'POST', '/good', null, { a: 1 })).toEqual({ got: '{"a":1}' });
    await expect(doHttpRequest(base, 'GET', '/bad')).rejects.toBeInstanceOf(MatrixError);
  });

  it('is the function itself when required under plain node, and keeps no process alive', async () => {
    const script = `
      const send = require('request');
      if (require('request-promise') !== send) throw new Error('not the same');
      send({ uri: '${base}' }, (error, response, body) => console.log(error, response.statusCode, body));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], {
      cwd: import.meta.dirname,
    });
    expect(stdout).toBe('null 200 {}\n');
  });
});
