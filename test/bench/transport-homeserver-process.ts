import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/**
 * A homeserver that costs next to nothing: every read is a whole request, and has one answer, written at
 * once. Chunked where its path says so, as Synapse writes JSON.
 */
const body = JSON.stringify({ chunk: [{ type: 'm.room.message', content: { body: 'x'.repeat(700) } }] });
const head = [
  'HTTP/1.1 200 OK',
  'Server: Synapse/1.140.0',
  'Date: Mon, 30 Nov 2026 12:00:00 GMT',
  'Content-Type: application/json',
  'Cache-Control: no-cache, no-store, must-revalidate',
  'Access-Control-Allow-Origin: *',
  'Access-Control-Allow-Methods: GET, HEAD, POST, PUT, DELETE, OPTIONS',
].join('\r\n');
const sized = `${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const size = body.length.toString(16);
const chunked = `${head}\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\n${body}\r\n0\r\n\r\n`;

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('data', (request) => socket.write(request.includes('/chunked') ? chunked : sized, 'latin1'));
  socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.once('disconnect', () => process.exit());
