import type { UserId } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Directory } from '../../ports/directory.ts';
import type { Issuer } from '../../ports/issuer.ts';
import type { Log } from '../../ports/log.ts';
import { createAdminApi, type AdminApi } from './admin.ts';
import { createDirectory } from './directory.ts';
import { createHttp } from './http.ts';
import { createIssuer } from './issuer.ts';
import { withFreshToken } from './with-fresh-token.ts';

/** Where the Synapse is, and with whose rights it is asked. */
export type SynapseOptions = {
  /** The base of the Client-Server and admin API, without `/_matrix`. */
  readonly homeserverUrl: string;
  /** The part after the colon of its users. */
  readonly serverName: string;
  /** A server administrator's token; read again for every request. */
  readonly issuerToken: () => string;
  /**
   * The homeserver does not know the issuer's token. True: `issuerToken` gives another one now, and the
   * request is made again with it.
   */
  readonly onRefusedToken?: (hasSessionEnded: boolean) => Promise<boolean>;
  readonly botUserId: UserId;
  /** For each request as a whole. */
  readonly timeoutMs: number;
  readonly log: Log;
  readonly clock?: Clock;
};

/** Everything Mintwarden asks of a Synapse, over one pool of connections. */
export type Synapse = AsyncDisposable & {
  readonly issuer: Issuer;
  readonly directory: Directory;
  readonly admin: AdminApi;
  close(): Promise<void>;
};

/** Opens nothing until it is asked. Close it at the end. */
export function createSynapse(options: SynapseOptions): Synapse {
  const { homeserverUrl, serverName, issuerToken, botUserId, timeoutMs, log } = options;
  const clock = options.clock ?? { now: () => Date.now() };
  const plain = createHttp({ homeserverUrl, timeoutMs });
  const http =
    options.onRefusedToken === undefined ? plain : withFreshToken(plain, issuerToken, options.onRefusedToken);
  return {
    issuer: createIssuer({ http, issuerToken, clock, log }),
    directory: createDirectory({ http, issuerToken, serverName, botUserId }),
    admin: createAdminApi({ http, token: issuerToken, serverName }),
    close: () => http.close(),
    [Symbol.asyncDispose]: () => http.close(),
  };
}
