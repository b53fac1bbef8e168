import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RequestType, type OutgoingRequest } from '@matrix-org/matrix-sdk-crypto-nodejs';
import { KeyServer } from './key-server.ts';

/**
 * The few endpoints that matrix-bot-sdk needs to encrypt, over HTTP, for one user with one encrypted room.
 */
export interface HomeServer extends AsyncDisposable {
  readonly url: string;
  readonly keys: KeyServer;
  /** What was put into the room, in order. */
  readonly sent: { type: string; content: Record<string, unknown> }[];
}

export async function startHomeServer(
  userId: string,
  deviceId: string,
  members: string[],
): Promise<HomeServer> {
  const keys = new KeyServer();
  const sent: HomeServer['sent'] = [];
  const answerKeys = (type: OutgoingRequest['type'], body: unknown): unknown =>
    JSON.parse(keys.answer(userId, deviceId, { id: '', type, body: JSON.stringify(body) }));

  const routes: [RegExp, (match: RegExpMatchArray, body: Record<string, unknown>) => unknown][] = [
    [/account\/whoami$/, () => ({ user_id: userId, device_id: deviceId })],
    [/keys\/upload$/, (_, body) => answerKeys(RequestType.KeysUpload, body)],
    [/keys\/query$/, (_, body) => answerKeys(RequestType.KeysQuery, body)],
    [/keys\/claim$/, (_, body) => answerKeys(RequestType.KeysClaim, body)],
    [
      /sendToDevice\/([^/]+)\//,
      ([, type], body) => answerKeys(RequestType.ToDevice, { ...body, event_type: type }),
    ],
    [/state\/m\.room\.encryption\/$/, () => ({ algorithm: 'm.megolm.v1.aes-sha2' })],
    [/state\/m\.room\.history_visibility\/$/, () => ({ history_visibility: 'joined' })],
    [/joined_members$/, () => ({ joined: Object.fromEntries(members.map((member) => [member, {}])) })],
    [
      /send\/([^/]+)\//,
      ([, type = ''], content) => {
        sent.push({ type, content });
        return { event_id: `$${sent.length}` };
      },
    ],
  ];

  const server = createServer((request, response) => {
    void readJson(request).then((body) => {
      const path = decodeURIComponent(new URL(request.url ?? '', 'http://x').pathname);
      const found = routes
        .map(([pattern, answer]) => ({ match: pattern.exec(path), answer }))
        .find(({ match }) => match);
      response.setHeader('Content-Type', 'application/json');
      if (!found?.match) response.statusCode = 404;
      response.end(
        JSON.stringify(found?.match ? found.answer(found.match, body) : { errcode: 'M_UNRECOGNIZED' }),
      );
    });
  });
  const url = await listen(server);
  return {
    url,
    keys,
    sent,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Listens on a free port of loopback. Resolves to the base URL. */
async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += String(part);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}
