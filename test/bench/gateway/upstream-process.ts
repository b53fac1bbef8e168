import { createServer } from 'node:http';
import { announce } from './announce.ts';
import { ANSWERS, HIERARCHY_PATH, MESSAGES_PATH, SYNC_PATH } from './answers.ts';
import { HOSTILITIES, hostileAnswer, hostileHierarchy } from './hostile.ts';

// The upstream where nginx is missing, where a long-poll must hang, and where `/messages` is costly to read:
// node upstream-process.ts [hang | HOSTILITY]
const [mode] = process.argv.slice(2);
const hangs = mode === 'hang';
const hostility = HOSTILITIES.find((one) => one === mode);
const answers = new Map<string, Buffer>();
for (const [path, make] of Object.entries(ANSWERS)) {
  if (path === MESSAGES_PATH && hostility !== undefined) answers.set(path, hostileAnswer(hostility));
  else if (path !== SYNC_PATH || mode === undefined) answers.set(path, Buffer.from(make()));
}

if (hostility !== undefined) answers.set(HIERARCHY_PATH, hostileHierarchy());

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
