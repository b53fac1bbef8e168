import type { Grant } from '../../../src/domain/grant.ts';
import type { GrantId, LeaseId, RoomId } from '../../../src/domain/ids.ts';
import type { Scope } from '../../../src/domain/scope.ts';
import { type Gateway, type GatewayOptions, startGateway } from '../../../src/gateway/server.ts';
import type { Access, TokenVerification } from '../../../src/lifecycle/access/access-control.ts';
import { grantOf } from '../support/grants.ts';
import { memoryTransactions } from '../support/memory-transactions.ts';
import { type LeakyHomeserver, leakyHomeserver } from './leaky-homeserver.ts';
import { SUBJECT } from './world.ts';

/** The gateway as it is, before a homeserver that tells too much, and grants that come and go. */
export type Field = AsyncDisposable & {
  readonly gateway: Gateway;
  readonly homeserver: LeakyHomeserver;
  /** What the gateway wrote down of the requests of a grant: the operation and the status. */
  readonly operations: Map<string, { operation: string; status: number }[]>;
  /** A grant of this scope that opens these rooms. */
  grant(scope: Scope, rooms: readonly RoomId[]): Granted;
};

export type Granted = {
  readonly token: string;
  readonly upstreamToken: string;
  readonly grantId: string;
  end(): void;
};

const HOUR_MS = 3_600_000;

export async function field(): Promise<Field> {
  const homeserver = await leakyHomeserver();
  const grants = new Map<string, Access>();
  const operations: Field['operations'] = new Map();
  let last = 0;
  const upstreamToken = (grantId: GrantId): string => `syt_${grantId}_secret`;
  const used = new Map<GrantId, number>();
  const control = {
    verifyToken: (token: string): TokenVerification => {
      const access = grants.get(token);
      return access === undefined ? { kind: 'invalid', grantId: null } : { kind: 'valid', access };
    },
    upstreamToken: (grantId: GrantId) => ({ leaseId: 'lease' as LeaseId, token: upstreamToken(grantId) }),
    replaceUpstreamToken: () => Promise.resolve('unavailable' as const),
    refreshRooms: (grantId: GrantId) => Promise.resolve(grants.get(`mwt_${grantId}_token`) ?? null),
    withdraw: () => Promise.resolve(),
    onGrantInactive: () => () => undefined,
    countUse: (grantId: GrantId) => {
      const before = used.get(grantId) ?? 0;
      used.set(grantId, before + 1);
      return Promise.resolve(
        before < (grants.get(`mwt_${grantId}_token`)?.grant.scope.uses ?? Number.POSITIVE_INFINITY),
      );
    },
    finishUse: () => Promise.resolve(),
    usesLeft: (grantId: GrantId) => {
      const most = grants.get(`mwt_${grantId}_token`)?.grant.scope.uses;
      return Promise.resolve(most === undefined ? null : Math.max(0, most - (used.get(grantId) ?? 0)));
    },
  };
  const quiet = (): void => undefined;
  const options: GatewayOptions = {
    listen: { host: '127.0.0.1', port: 0 },
    homeserverUrl: homeserver.url,
    publicUrl: 'https://gateway.test',
    accessControl: control,
    sentence: () => 'may do what it may',
    onFiltersDiffer: () => undefined,
    transactions: memoryTransactions(),
    clock: { now: () => Date.now() },
    log: {
      debug: quiet,
      warn: quiet,
      error: quiet,
      info: (_, data = {}) => {
        const { grant, operation, status } = data;
        if (typeof grant === 'string')
          operations.get(grant)?.push({ operation: String(operation), status: Number(status) });
      },
    },
    limits: {
      requestsPerSecond: 1e6,
      requestsAtOnce: 1e6,
      writesPerSecond: 1e6,
      writesAtOnce: 1e6,
      personalPerSecond: 1e6,
      personalAtOnce: 1e6,
      invalidTokenDelaysMs: [0],
      upstreamErrorDelaysMs: [0],
      upstreamTimeoutMs: 5_000,
    },
  };
  const gateway = await startGateway(options);
  return {
    gateway,
    homeserver,
    operations,
    grant(scope, rooms) {
      const grantId = `F${++last}` as GrantId;
      const token = `mwt_${grantId}_token`;
      const now = Date.now();
      const grant: Grant = grantOf(scope.rooms, {
        id: grantId,
        subject: SUBJECT,
        scope,
        createdAt: now,
        expiresAt: now + HOUR_MS,
      });
      grants.set(token, { grant, rooms: new Set(rooms) });
      operations.set(grantId, []);
      return {
        token,
        upstreamToken: upstreamToken(grantId),
        grantId,
        end() {
          grants.delete(token);
          operations.delete(grantId);
          used.delete(grantId);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await gateway.close();
      await homeserver[Symbol.asyncDispose]();
    },
  };
}
