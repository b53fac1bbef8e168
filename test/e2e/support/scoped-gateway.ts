import type { GrantId, RoomId, UserId } from '../../../src/domain/ids.ts';
import type { Scope } from '../../../src/domain/scope.ts';
import type { Gateway, GatewayOptions } from '../../../src/gateway/server.ts';
import { type GrantDesk, grantDesk } from '../../gateway/support/grant-desk.ts';
import { grantOf } from '../../gateway/support/grants.ts';
import { startTestGateway } from '../../gateway/support/test-gateway.ts';
import { matrixRequest } from '../../harness/matrix-http.ts';
import type { Person } from './person.ts';
import type { SynapseServer } from '../../harness/synapse.ts';

/** What the token may do, and what the gateway is started with. */
export interface ScopedGatewayOptions extends Partial<GatewayOptions> {
  readonly rooms: readonly RoomId[];
  /** Its other parts; it can `read` unless said otherwise. */
  readonly scope?: Partial<Scope>;
  /** The homeserver's token behind it: minted by the homeserver's administrator unless given. */
  readonly upstream?: string;
  /** Whether that token has a device. */
  readonly device?: true;
}

/** A gateway in this process, before a real homeserver, and one scoped token that speaks for a person. */
export interface ScopedGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly desk: GrantDesk;
  readonly url: string;
  readonly token: string;
  readonly grantId: GrantId;
  /** How many long-polls are open. */
  openPolls(): number;
  /** One request with the scoped token. Throws `MatrixHttpError` unless answered 2xx. */
  request<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T>;
  /** The same with any body, and its answer as it comes. */
  fetch(method: string, path: string, init?: RequestInit): Promise<Response>;
}

/** Starts one. Disposing of it closes the gateway. */
export async function startScopedGateway(
  synapse: SynapseServer,
  person: Person,
  { rooms, scope, upstream, device, ...options }: ScopedGatewayOptions,
): Promise<ScopedGateway> {
  const token = 'mwt_7F3K9Q_scoped';
  const desk = grantDesk(upstream ?? (await person.upstreamToken()));
  const grantId = '7F3K9Q' as GrantId;
  addGrant(desk, { token, id: grantId, subject: person.userId, rooms, scope, device });
  let polls = 0;
  const gateway = await startTestGateway({
    observer: { answered: () => undefined, polling: (change) => void (polls += change) },
    homeserverUrl: synapse.baseUrl,
    accessControl: desk,
    ...options,
    limits: { writesAtOnce: 1_000, personalAtOnce: 1_000, ...options.limits },
  });
  const url = `http://127.0.0.1:${String(gateway.port)}`;
  return {
    gateway,
    desk,
    url,
    token,
    grantId,
    openPolls: () => polls,
    request: (method, path, body) =>
      matrixRequest(url, method, path, { token, ...(body === undefined ? {} : { body }) }),
    fetch: (method, path, init = {}) =>
      fetch(url + path, {
        method,
        ...init,
        headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) },
      }),
    [Symbol.asyncDispose]: () => gateway.close(),
  };
}

/** Puts a grant for these rooms behind a token. */
export function addGrant(
  desk: GrantDesk,
  given: {
    readonly token: string;
    readonly id: GrantId;
    readonly subject: UserId;
    readonly rooms: readonly RoomId[];
    readonly scope?: Partial<Scope> | undefined;
    readonly device?: true | undefined;
  },
): void {
  const { token, id, subject, rooms, scope, device } = given;
  desk.add(token, {
    grant: grantOf(rooms, { id, subject, scope: { v: 1, rooms, can: ['read'], ...scope } }),
    rooms: new Set(rooms),
    ...(device && { device }),
  });
}
