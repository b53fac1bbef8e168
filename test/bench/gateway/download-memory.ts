// Resident memory of the gateway over a download of 1 GB to a slow reader, and an upload to a slow
// homeserver: npm run bench:media [-- MB]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { residentMb } from './process-figures.ts';

const MIB = 1_048_576;
const FILE = (Number(process.argv[2] ?? 1_024) || 1_024) * MIB;
/** A reader takes so much, then rests. */
const SIP = 4 * MIB;
const REST_MS = 40;
const READERS = 4;
const UPLOAD = 48 * MIB;
const piece = Buffer.alloc(65_536, 1);

const gateway = fork(fileURLToPath(new URL('media-process.ts', import.meta.url)), [await upstream()], {
  stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
});
const [{ port, token }] = (await once(gateway, 'message')) as [{ port: number; token: string }];
const pid = gateway.pid ?? 0;

// What a first request leaves behind is no leak.
await download(1, 64 * MIB);
await sleep(500);
const before = await residentMb(pid);
console.log(`before: ${String(before)} MB`);
const highest = await watched(() => download(READERS, FILE / READERS));
console.log(
  `${String(FILE / MIB)} MB to ${String(READERS)} slow readers: highest ${String(highest)} MB, ${String(await residentMb(pid))} MB after`,
);
const one = await watched(() => download(1, FILE));
console.log(
  `${String(FILE / MIB)} MB to one slow reader: highest ${String(one)} MB, ${String(await residentMb(pid))} MB after`,
);
const up = await watched(() => upload());
console.log(
  `${String(UPLOAD / MIB)} MB to a slow homeserver: highest ${String(up)} MB, ${String(await residentMb(pid))} MB after`,
);
gateway.kill();
process.exit();

/** A homeserver whose files are as long as their id says, and that takes uploads slowly. */
async function upstream(): Promise<string> {
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      request.on('data', () => {
        request.pause();
        setTimeout(() => request.resume(), 2);
      });
      request.on('end', () =>
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end('{"content_uri":"mxc://hs.test/x"}'),
      );
      return;
    }
    let left = Number(/\/(\d+)\?/.exec(request.url ?? '')?.[1] ?? 0);
    response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': String(left) });
    const more = (): void => {
      while (left > 0) {
        left -= piece.length;
        if (!response.write(piece)) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

async function download(readers: number, bytes: number): Promise<void> {
  await Promise.all(
    Array.from({ length: readers }, async () => {
      const socket = connect(port, '127.0.0.1');
      socket.write(
        `GET /_matrix/client/v1/media/download/hs.test/${String(bytes)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      );
      let read = 0;
      let sip = 0;
      socket.on('data', (data) => {
        read += data.length;
        sip += data.length;
        if (sip < SIP) return;
        sip = 0;
        socket.pause();
        setTimeout(() => socket.resume(), REST_MS);
      });
      await once(socket, 'close');
      if (read < bytes) throw new Error(`Only ${String(read)} of ${String(bytes)} bytes came.`);
    }),
  );
}

async function upload(): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (data) => (text += data.toString()));
  socket.write(
    `POST /_matrix/media/v3/upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${String(UPLOAD)}\r\n\r\n`,
  );
  for (let left = UPLOAD; left > 0; left -= piece.length)
    if (!socket.write(piece)) await once(socket, 'drain');
  await once(socket, 'close');
  if (!text.startsWith('HTTP/1.1 200 ')) throw new Error(`The upload came to: ${text.slice(0, 80)}`);
}

/** The most that was resident while it ran. */
async function watched(run: () => Promise<void>): Promise<number> {
  let most = 0;
  const look = async (): Promise<void> => void (most = Math.max(most, await residentMb(pid)));
  const timer = setInterval(() => void look(), 50);
  await run();
  clearInterval(timer);
  await look();
  return most;
}
