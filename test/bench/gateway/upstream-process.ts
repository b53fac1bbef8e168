import { createServer } from 'node:http';
import { announce } from './announce.ts';
import { ANSWERS, SYNC_PATH } from './answers.ts';

// The upstream where nginx is missing, and where a long-poll must hang: node upstream-process.ts [hang]
const hangs = process.argv[2] === 'hang';
const answers = new Map(
  Object.entries(ANSWERS).map(([path, make]) => [
    path,
    Buffer.from(path === SYNC_PATH && hangs ? '' : make()),
  ]),
);

announce(
  createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    if (hangs && path === SYNC_PATH) return;
    const body = answers.get(path);
    if (body === undefined) response.writeHead(404).end();
    else
      response
        .writeHead(200, ['Content-Type', 'application/json', 'Content-Length', String(body.length)])
        .end(body);
  }),
);
