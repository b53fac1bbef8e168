import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { startGatewayProcesses } from '../../../src/gateway/processes/gateway-processes.ts';
import { type GatewayOptions, startGateway } from '../../../src/gateway/server.ts';
import type { Grant } from '../../../src/domain/grant.ts';
import type { RoomId } from '../../../src/domain/ids.ts';
import { createAccessControl } from '../../../src/lifecycle/access/access.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { gatewayMetrics } from '../../../src/telemetry/metrics/gateway-metrics.ts';
import { Service } from '../../lifecycle/support/harness.ts';
import { ALICE } from '../../lifecycle/support/homeserver.ts';
import { ROOMS } from './answers.ts';
import { memoryTransactions } from '../../gateway/support/memory-transactions.ts';

/** What a part of the benchmark has otherwise. */
export type GatewaySetup = {
  /** In how many processes beside this one. */
  readonly processes?: number;
  readonly limits?: GatewayOptions['limits'];
};

/** What the benchmark asks this process by IPC. */
export type Question = { readonly mint: 'all' | readonly string[] } | { readonly revoke: string };

// The gateway as it ships: real ledger on disk, real access control, grants made by the lifecycle, its log at
// `info`. Only the bot's and the issuer's homeserver is scripted; the holders' is the upstream of the
// benchmark. A second argument: a `GatewaySetup`.
const given = JSON.parse(process.argv[3] ?? '{}') as GatewaySetup;
const clock = { now: () => Date.now() };
const log = createLog({ level: 'info', pretty: false });
const service = await Service.start();
Object.defineProperty(service.clock, 'at', { get: () => Date.now() });
service.homeserver.change(ALICE, { joinedRooms: ROOMS as RoomId[] });
const access = createAccessControl(service.services);
const setup = {
  listen: { host: '127.0.0.1', port: 0 },
  homeserverUrl: process.argv[2] ?? '',
  publicUrl: 'https://gateway.example.org',
  // All the load is one grant's. Each request is counted all the same.
  limits: { requestsPerSecond: 1_000_000, requestsAtOnce: 1_000_000, ...given.limits },
};
const means = { onFiltersDiffer: () => undefined, transactions: memoryTransactions(), clock, log };
const { processes: count = 0 } = given;
/** As it is where nothing listens for Prometheus, with `BENCH_UNWATCHED=1`. */
const watched = process.env['BENCH_UNWATCHED'] !== '1';
const gateway =
  count === 0
    ? await startGateway({
        ...setup,
        ...means,
        accessControl: access,
        ...(watched && { observer: gatewayMetrics(null) }),
        sentence: (grant) => `speaks for ${grant.subject}`,
      })
    : await startGatewayProcesses({
        ...means,
        access,
        setup,
        count,
        program: {
          file: fileURLToPath(new URL('../../../src/app/gateway-process.ts', import.meta.url)),
          args: ['info', 'json', watched ? 'watched' : 'unwatched'],
          flags: process.execArgv.filter((flag) => flag.startsWith('--')),
        },
        ledger: service.ledger,
        folder: tmpdir(),
      });
/**
 * When a grant's first commit as ended was durable. Noted last, when all listeners have heard of it, which is
 * before the commit resolves.
 */
const committedAtNs = new Map<string, string>();
service.ledger.onCommitted((change) => {
  for (const { id, state } of change.grants ?? [])
    if (state === 'ended' && !committedAtNs.has(id)) committedAtNs.set(id, String(process.hrtime.bigint()));
});
const grants = new Map<string, Grant>();

process.on('message', (question: Question) => {
  const answer = 'mint' in question ? mint(question.mint) : revoke(question.revoke);
  answer.then(
    (value) => process.send?.(value as object),
    (error: unknown) => {
      console.log(error);
      process.exit(1);
    },
  );
});
process.once('disconnect', () => process.exit());
process.once('SIGTERM', () => void end());
process.send?.({ port: gateway.port });

async function mint(rooms: 'all' | readonly string[]): Promise<{ token: string }> {
  const wanted =
    rooms === 'all' ? rooms : rooms.map((roomId) => ({ kind: 'id' as const, roomId: roomId as RoomId }));
  const before = new Set(service.tokensSeen().map(({ token }) => token));
  const grant = await service.mint({ rooms: wanted });
  await service.drain();
  const token = service.tokensSeen().find((one) => !before.has(one.token))?.token ?? '';
  grants.set(token, grant);
  return { token };
}

/**
 * Revokes as an admin's command does. `committedAt`: when that was durable, on the clock all processes share.
 */
async function revoke(token: string): Promise<{ committedAtNs: string }> {
  const grant = grants.get(token);
  if (grant === undefined) throw new Error('no such grant');
  await service.revoke(await service.grant(grant.id));
  await service.drain();
  return { committedAtNs: committedAtNs.get(grant.id) ?? '' };
}

async function end(): Promise<void> {
  await gateway.close();
  access.close();
  await service[Symbol.asyncDispose]();
  process.exit();
}
