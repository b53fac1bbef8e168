import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GatewaySetup, Question } from './gateway-process.ts';
import { nginxUpstream } from './nginx.ts';
import type { Options } from './options.ts';
import { MEASURED_CORE, OTHER_CORE, type Pinned, startNode } from './pinned.ts';
import type { Report } from './report.ts';
import type { Tools } from './tools.ts';
import { runWrk } from './wrk.ts';

/** What every part is given. Servers are started when they are first asked for. */
export type Stage = AsyncDisposable & {
  readonly options: Options;
  readonly tools: Tools;
  readonly report: Report;
  /** For configurations. */
  readonly folder: string;
  /** The upstream with the answers of `answers.ts`. */
  upstream(): Promise<Pinned>;
  /** The gateway before it. */
  gateway(): Promise<Pinned>;
  /** A gateway of its own, with the flags of the service. */
  freshGateway(upstream: Pinned, setup?: GatewaySetup): Promise<Pinned>;
  /** A TypeScript file of this folder as a server; on the core of what is measured unless said. */
  server(file: string, args: readonly string[], core?: number): Promise<Pinned>;
  /** Ends with the stage. */
  use<T extends AsyncDisposable>(server: T): T;
};

export async function openStage(options: Options, tools: Tools, report: Report): Promise<Stage> {
  const cleanup = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'mintwarden-bench-'));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  let upstream: Promise<Pinned> | undefined;
  let gateway: Promise<Pinned> | undefined;
  const stage: Stage = {
    options,
    tools,
    report,
    folder,
    upstream: () =>
      (upstream ??=
        tools.nginx === null
          ? stage.server('upstream-process.ts', [], OTHER_CORE)
          : nginxUpstream(tools, folder).then((server) => cleanup.use(server))),
    gateway: () => (gateway ??= stage.upstream().then((server) => stage.freshGateway(server))),
    async freshGateway(server, setup = {}) {
      const args = [server.url, JSON.stringify(setup)];
      return cleanup.use(await startNode(tools, MEASURED_CORE, 'gateway-process.ts', args, options.flags));
    },
    server: async (file, args, core = MEASURED_CORE) => cleanup.use(await startNode(tools, core, file, args)),
    use: (server) => cleanup.use(server),
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
  return stage;
}

/** A token for these rooms. */
export async function mint(gateway: Pinned, rooms: 'all' | readonly string[]): Promise<string> {
  const { token } = (await gateway.ask({ mint: rooms } satisfies Question)) as { token: string };
  return token;
}

/** Runs load until V8 has compiled what is hot. */
export async function warmUp(
  { tools, options }: Stage,
  url: string,
  token: string,
  seconds = options.warmUpSeconds,
): Promise<void> {
  if (seconds > 0) await runWrk(tools, { url, token, connections: 64, seconds });
}
