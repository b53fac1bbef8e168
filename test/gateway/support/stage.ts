import { once } from 'node:events';
import { connect } from 'node:net';
import type { Scope } from '../../../src/domain/scope.ts';
import type { RoomId } from '../../../src/domain/ids.ts';
import type { Grant } from '../../../src/domain/grant.ts';
import type { Gateway, GatewayOptions } from '../../../src/gateway/server.ts';
import type { LogData } from '../../../src/ports/log.ts';
import { grantOf, OPS, DEV } from './grants.ts';
import { type GrantDesk, grantDesk } from './grant-desk.ts';
import { type RecordingHomeserver, recordingHomeserver } from './recording-homeserver.ts';
import type { Transactions } from '../../../src/ports/transactions.ts';
import { startTestGateway } from './test-gateway.ts';
import { settled } from '../../support/wait.ts';

export const TOKEN = 'mwt_7F3K9Q_thisIsTheScopedToken';
export const UPSTREAM_TOKEN = 'syt_upstream_token';

/** What a holder got. */
type Got = { readonly status: number; readonly body: Record<string, unknown>; readonly headers: Headers };

let everythingLarge: 'auto' | 'tree' | null = null;

/** From now on every answer is filtered in the other thread, as large ones are. */
export function filterInThread(): void {
  everythingLarge = 'tree';
}

/** From now on every answer is filtered as large ones are: over its bytes, where that is possible. */
export function filterOverBytes(): void {
  everythingLarge = 'auto';
}

/** A gateway before a recording homeserver, with one good token. */
export type Stage = AsyncDisposable & {
  readonly gateway: Gateway;
  readonly homeserver: RecordingHomeserver;
  readonly desk: GrantDesk;
  readonly logged: { readonly event: string; readonly data: LogData }[];
  /** One request as a holder makes it. */
  ask(
    method: string,
    path: string,
    options?: {
      token?: string | null;
      body?: string;
      headers?: Record<string, string>;
      signal?: AbortSignal;
    },
  ): Promise<Got>;
  /** Writes bytes to the gateway's socket and reads until it ends or nothing more comes, for `waitMs` if given. */
  raw(bytes: string | Buffer, waitMs?: number): Promise<string>;
};

export async function stage(
  options: {
    rooms?: Scope['rooms'];
    joined?: readonly RoomId[];
    grant?: Partial<Grant>;
    limits?: GatewayOptions['limits'];
    filter?: GatewayOptions['filter'];
    homeserverUrl?: string;
    transactions?: Transactions;
    trustedProxies?: GatewayOptions['trustedProxies'];
    instanceKey?: string;
    observer?: GatewayOptions['observer'];
  } = {},
): Promise<Stage> {
  const homeserver = await recordingHomeserver();
  const desk = grantDesk(UPSTREAM_TOKEN);
  const rooms = options.rooms ?? [OPS, DEV];
  desk.add(TOKEN, {
    grant: grantOf(rooms, options.grant),
    rooms: new Set(rooms === 'all' ? (options.joined ?? []) : rooms),
  });
  const logged: { event: string; data: LogData }[] = [];
  const write = (event: string, data: LogData = {}) => void logged.push({ event, data });
  const gateway = await startTestGateway({
    homeserverUrl: options.homeserverUrl ?? homeserver.url,
    accessControl: desk,
    sentence: (grant) => `speaks for ${grant.subject}`,
    log: { debug: write, info: write, warn: write, error: write },
    ...(options.transactions === undefined ? {} : { transactions: options.transactions }),
    ...(options.trustedProxies === undefined ? {} : { trustedProxies: options.trustedProxies }),
    ...(options.observer === undefined ? {} : { observer: options.observer }),
    filter: options.filter ?? everythingLarge ?? 'auto',
    ...(options.instanceKey === undefined ? {} : { instanceKey: options.instanceKey }),
    // Tests ask faster than holders may; attacks/exhaustion.test.ts says how fast those may.
    limits: {
      requestsPerSecond: 1e6,
      requestsAtOnce: 1e6,
      ...(everythingLarge === null ? {} : { inPlaceBytes: 0 }),
      ...options.limits,
    },
  });
  return {
    gateway,
    homeserver,
    desk,
    logged,
    async ask(method, path, { token = TOKEN, body, headers = {}, signal } = {}) {
      const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, {
        method,
        headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      });
      const text = await response.text();
      return {
        status: response.status,
        body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
        headers: response.headers,
      };
    },
    async raw(bytes, waitMs) {
      const socket = connect(gateway.port, '127.0.0.1');
      const chunks: Buffer[] = [];
      socket.on('data', (data) => chunks.push(data));
      socket.on('error', () => undefined);
      const closed = once(socket, 'close').catch(() => undefined);
      socket.write(bytes);
      // The other thread answers when it likes.
      const silenceMs = waitMs ?? (everythingLarge === null ? null : 300);
      if (silenceMs !== null) socket.setTimeout(silenceMs, () => socket.destroy());
      else
        for (let before = -1; !socket.closed && before !== chunks.length;) {
          before = chunks.length;
          await settled(500);
        }
      if (silenceMs === null) socket.destroy();
      await closed;
      return Buffer.concat(chunks).toString('latin1');
    },
    async [Symbol.asyncDispose]() {
      await gateway.close();
      await homeserver[Symbol.asyncDispose]();
    },
  };
}
