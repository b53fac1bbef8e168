import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'node:http';
import type { Grant } from '../../../src/domain/grant.ts';
import {
  type GatewayProcesses,
  startGatewayProcesses,
} from '../../../src/gateway/processes/gateway-processes.ts';
import type { ChildSetup } from '../../../src/gateway/processes/messages.ts';
import { createAccessControl } from '../../../src/lifecycle/access/access.ts';
import type { LogData } from '../../../src/ports/log.ts';
import { Service } from '../../lifecycle/support/harness.ts';
import { type MemoryTransactions, memoryTransactions } from '../support/memory-transactions.ts';
import { type RecordingHomeserver, recordingHomeserver } from '../support/recording-homeserver.ts';
import { realTime } from '../../support/wait.ts';

const PROGRAM = join(import.meta.dirname, '../../../src/app/gateway-process.ts');

/** What a holder got. `closed`: the connection ended without an answer. */
export type Got = { readonly status: number | 'closed'; readonly body: string; readonly at: bigint };

/** Real gateway processes over a real ledger, before a recording homeserver. */
export type ProcessesStage = AsyncDisposable & {
  readonly service: Service;
  readonly homeserver: RecordingHomeserver;
  readonly processes: GatewayProcesses;
  readonly transactions: MemoryTransactions;
  readonly logged: { readonly event: string; readonly data: LogData }[];
  /** A delivered grant and its token. */
  mint(fields?: Parameters<Service['mint']>[0]): Promise<{ grant: Grant; token: string }>;
  /** Asks as a holder does, on a connection of its own unless an agent is given. */
  ask(
    path: string,
    token: string | null,
    options?: { agent?: Agent; method?: string; body?: string },
  ): Promise<Got>;
};

/** @param count processes @param flags for Node, in each of them */
export async function processesStage(
  count: number,
  setup: Partial<ChildSetup> = {},
  flags: readonly string[] = [],
): Promise<ProcessesStage> {
  await using cleanup = new AsyncDisposableStack();
  const service = cleanup.use(await Service.start());
  // Children have the machine's clock.
  Object.defineProperty(service.clock, 'at', { get: () => Date.now() });
  const homeserver = cleanup.use(await recordingHomeserver());
  const access = createAccessControl(service.services);
  cleanup.defer(() => access.close());
  const transactions = memoryTransactions();
  const folder = mkdtempSync(join(tmpdir(), 'mintwarden-processes-'));
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }));
  const logged: { event: string; data: LogData }[] = [];
  const write = (event: string, data: LogData = {}) => void logged.push({ event, data });
  const processes = await startGatewayProcesses({
    onFiltersDiffer: () => undefined,
    count,
    program: { file: PROGRAM, args: ['error', 'json', 'watched'], flags },
    setup: {
      listen: { host: '127.0.0.1', port: 0 },
      homeserverUrl: homeserver.url,
      publicUrl: 'https://gateway.test',
      ...setup,
      limits: { requestsPerSecond: 1e6, requestsAtOnce: 1e6, ...setup.limits },
    },
    access,
    transactions,
    ledger: service.ledger,
    folder,
    clock: service.clock,
    log: { debug: write, info: write, warn: write, error: write },
  });
  cleanup.defer(() => processes.close());
  const atEnd = cleanup.move();
  return {
    service,
    homeserver,
    processes,
    transactions,
    logged,
    async mint(fields = {}) {
      const before = new Set(service.tokensSeen().map(({ token }) => token));
      const grant = await service.mint(fields);
      await service.drain();
      return { grant, token: service.tokensSeen().find((one) => !before.has(one.token))?.token ?? '' };
    },
    ask: (path, token, options) => ask(processes.port, path, token, options),
    [Symbol.asyncDispose]: () => atEnd.disposeAsync(),
  };
}

/** Asks as a holder does. */
export function ask(
  port: number,
  path: string,
  token: string | null,
  { agent, method = 'GET', body }: Parameters<ProcessesStage['ask']>[2] = {},
): Promise<Got> {
  return new Promise((resolve) => {
    let text = '';
    const end = (status: Got['status']): void => resolve({ status, body: text, at: process.hrtime.bigint() });
    const headers = token === null ? {} : { authorization: `Bearer ${token}` };
    const asked = request(
      { host: '127.0.0.1', port, path, method, agent: agent ?? new Agent(), headers },
      (response) => {
        response.on('data', (data: Buffer) => (text += data.toString()));
        response.on('end', () => end(response.statusCode ?? 0));
        response.on('error', () => end('closed'));
      },
    );
    asked.on('error', () => end('closed'));
    asked.end(body);
  });
}

/**
 * Connections that are spread over all processes: each has shown by whom it is served. The processes are told
 * apart by stopping them, so nothing else must be asked meanwhile.
 */
export async function connectionOfEach(stage: ProcessesStage): Promise<ReadonlyMap<number, Agent>> {
  const found = new Map<number, Agent>();
  for (let tries = 0; found.size < stage.processes.pids.length && tries < 100; tries++) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await stage.ask('/health', null, { agent });
    const pid = await servedBy(stage, agent);
    if (found.has(pid)) agent.destroy();
    else found.set(pid, agent);
  }
  return found;
}

async function servedBy(stage: ProcessesStage, agent: Agent): Promise<number> {
  for (const pid of stage.processes.pids) {
    process.kill(pid, 'SIGSTOP');
    try {
      const asked = stage.ask('/health', null, { agent });
      const answered = await Promise.race([
        asked.then(() => true),
        // A process that was stopped shows by its silence alone.
        realTime(100).then(() => false),
      ]);
      if (!answered) {
        process.kill(pid, 'SIGCONT');
        await asked;
        return pid;
      }
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  }
  throw new Error('no process serves this connection');
}
