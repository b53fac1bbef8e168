import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server that goes away at the end of its block. */
export async function served(
  listener: RequestListener,
  port = 0,
): Promise<AsyncDisposable & { url: string }> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    url,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A proxy that sends requests here or there. */
export const passing =
  (to: (token: boolean, path: string) => string, more: Record<string, string> = {}): RequestListener =>
  (incoming, response) => {
    const path = incoming.url ?? '/';
    const target = to(incoming.headers.authorization?.startsWith('Bearer mwt_') === true, path);
    const onward = httpRequest(
      target + path,
      { method: incoming.method, headers: { ...incoming.headers, ...more } },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  };
