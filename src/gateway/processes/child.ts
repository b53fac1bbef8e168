import { type ChildProcess, fork } from 'node:child_process';
import { MintwardenError } from '../../domain/errors.ts';
import { PROXY_VARIABLES, usesProxy } from '../../net/proxy.ts';
import { REVISION_FD } from './run-child.ts';
import type { FromChild, ChildSetup, ToChild } from './messages.ts';
import { fromIpcError } from './ipc-error.ts';
import type { IpcServer } from './ipc-server.ts';

/** What a child runs. */
export type ChildProgram = {
  /** The file that calls `serveAsChild`. */
  readonly file: string;
  readonly args: readonly string[];
  /** Flags for Node. */
  readonly flags: readonly string[];
};

/** A gateway process, alive or dying. */
export type GatewayProcess = {
  readonly pid: number;
  /** Resolves when it answers requests. @throws MintwardenError if it cannot, or exits before */
  readonly listening: Promise<void>;
  /** Resolves when the process has exited. */
  readonly exited: Promise<void>;
  /** Whether it acknowledges updates in time: `endMs` for the end of a grant, `otherMs` for all others. */
  isResponsive(endMs: number, otherMs: number): boolean;
  /** Leaves out a time in which this process itself stood still. */
  extendDeadlines(ms: number): void;
  /** Its metrics; null if they do not come in time. */
  metrics(withinMs: number): Promise<readonly object[] | null>;
  /** Lets it shut down. */
  close(): void;
  kill(): void;
};

/** The environment of a child. Not the rest: it can hold secrets that a gateway process has no need of. */
const PASSED_ENVIRONMENT: readonly string[] = [
  'PATH',
  'TZ',
  'LANG',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  ...PROXY_VARIABLES,
];

/** Starts one. The pipe to it is a socket pair that no other process has. */
export function startGatewayProcess(
  { file, args, flags }: ChildProgram,
  setup: ChildSetup,
  server: IpcServer,
  revisionFd: number,
  onFiltersDiffer: () => void,
): GatewayProcess {
  const stdio: ('ignore' | 'inherit' | 'ipc' | number)[] = ['ignore', 'inherit', 'inherit', 'ipc'];
  stdio[REVISION_FD] = revisionFd;
  const env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED_ENVIRONMENT.includes(name))),
    // NODE_OPTIONS, by which that can be said too, is not passed on.
    ...(usesProxy(process.env) && { NODE_USE_ENV_PROXY: '1' }),
  };
  const child = fork(file, [...args], { execArgv: [...flags], env, stdio });
  const unacknowledged: { since: number; readonly isEnd: boolean }[] = [];
  const listening = Promise.withResolvers<void>();
  const exited = Promise.withResolvers<void>();
  const metricsAsked: ((metrics: readonly object[]) => void)[] = [];
  // Callers that do not wait for it see `exited`.
  listening.promise.catch(() => undefined);

  const send = (message: ToChild): void => {
    if (message.type === 'update')
      unacknowledged.push({ since: performance.now(), isEnd: message.over.length > 0 });
    // The end of a child is seen by `exit`, not by an error here.
    if (child.connected) child.send(message, () => undefined);
  };
  const connection = server.connect(send);
  const receive = (message: FromChild): void => {
    if (message.type === 'call') void connection.handle(message.id, message.call);
    else if (message.type === 'reclaimed') connection.reclaimed(message);
    else if (message.type === 'ack') unacknowledged.shift();
    else if (message.type === 'listening') listening.resolve();
    else if (message.type === 'filters-differ') onFiltersDiffer();
    else if (message.type === 'metrics')
      metricsAsked.shift()?.(Array.isArray(message.metrics) ? message.metrics : []);
    else listening.reject(fromIpcError(message.error));
  };
  child.on('message', (message) => {
    try {
      receive(message as FromChild);
    } catch {
      // Malformed: whatever it has become, it must not end the bot's process.
      kill(child);
    }
  });
  const onExit = (): void => {
    connection.close();
    listening.reject(new MintwardenError('state', 'A gateway process ended before it answered.'));
    exited.resolve();
  };
  child.once('exit', onExit);
  // There may be several, and an unhandled one would end the bot's process.
  child.on('error', () => {
    if (child.pid === undefined) onExit();
  });
  // A child without its pipe exits by itself; if it does not, it is killed.
  child.once('disconnect', () => kill(child));
  send({ type: 'setup', setup, at: server.revision, now: server.now() });
  return {
    pid: child.pid ?? 0,
    listening: listening.promise,
    exited: exited.promise,
    isResponsive: (endMs, otherMs) =>
      unacknowledged.every(({ since, isEnd }) => performance.now() - since < (isEnd ? endMs : otherMs)),
    extendDeadlines: (ms) => {
      for (const one of unacknowledged) one.since += ms;
    },
    metrics: (withinMs) => {
      const { promise, resolve } = Promise.withResolvers<readonly object[] | null>();
      const late = setTimeout(() => resolve(null), withinMs);
      metricsAsked.push((metrics) => {
        clearTimeout(late);
        resolve(metrics);
      });
      send({ type: 'metrics' });
      return promise;
    },
    close: () => send({ type: 'close' }),
    kill: () => kill(child),
  };
}

function kill(child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
}
