import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it reached the homeserver. */
type Seen = {
  readonly method: string;
  /** Undecoded, with query. */
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

/** How it answers: a body of JSON, or by hand. */
type Script = (seen: Seen, response: ServerResponse) => unknown;

/** A real HTTP server in the place of the homeserver, which writes down all that reaches it. */
export type RecordingHomeserver = AsyncDisposable & {
  readonly url: string;
  readonly seen: Seen[];
  /** What it answers from now on; undefined from the script: it answers by hand, or not at all. */
  answer(script: Script): void;
};

export async function recordingHomeserver(): Promise<RecordingHomeserver> {
  const seen: Seen[] = [];
  let script: Script = () => ({});
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '', 'http://hs.test');
      const one: Seen = {
        method: request.method ?? '',
        url: request.url ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      seen.push(one);
      const answer = script(one, response);
      if (answer === undefined) return;
      response.writeHead(200, {
        'content-type': 'application/json',
        server: 'secret-server/1.0',
        'set-cookie': 'upstream=1',
      });
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    answer: (next) => void (script = next),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
