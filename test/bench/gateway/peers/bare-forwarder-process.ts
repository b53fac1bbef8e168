import { createServer } from 'node:http';
import { Pool } from 'undici';
import { announce } from '../announce.ts';

// What `node:http` and undici cost by themselves: no verdict, no reading of the answer, one write.
const pool = new Pool(process.argv[2] ?? '', {
  pipelining: 1,
  connections: null,
  headersTimeout: 0,
  bodyTimeout: 0,
});

announce(
  createServer((request, response) => {
    const headers = [
      'accept',
      'application/json',
      'accept-encoding',
      'identity',
      'authorization',
      request.headers.authorization ?? '',
    ];
    const chunks: Buffer[] = [];
    let status = 0;
    let type = '';
    pool.dispatch(
      { path: request.url ?? '/', method: 'GET', headers, body: null },
      {
        onRequestStart: () => undefined,
        onResponseStart(_, code, given) {
          status = code;
          type = String(given['content-type']);
        },
        onResponseData: (_, chunk) => void chunks.push(chunk),
        onResponseEnd() {
          const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
          response.writeHead(status, ['Content-Type', type, 'Content-Length', String(body.length)]);
          response.end(body);
        },
        onResponseError: () => void response.writeHead(502).end(),
      },
    );
  }),
);
