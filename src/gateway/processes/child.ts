import { type ChildProcess, fork } from 'node:child_process';
import { MintwardenError } from '../../domain/errors.ts';
import { BOARD_FD } from './run-child';
import type { FromChild, Setup, ToChild } from './messages.ts';
import { errorOf } from './ipc-error';
import type { Relay } from './ipc-server';

/** What a child runs. */
export type Program = {
  /** The file that calls `serveAsChild`. */
  readonly file: string;
  readonly args: readonly string[];
  /** Flags for Node. */
  readonly flags: readonly string[];
};

/** A gateway process, alive or dying. */
export type Child = {
  readonly pid: number;
  /** Resolves when it answers. @throws MintwardenError where it cannot, or ends before */
  readonly listening: Promise<void>;
  /** Resolves when the process is no more. */
  readonly gone: Promise<void>;
  /**
   * Whether it has heard all it was told in time: `overMs` for the end of a grant, `otherMs` for anything
   * else.
   */
  keepsUp(overMs: number, otherMs: number): boolean;
  /** Forgives a time in which this process itself stood still. */
  forgive(ms: number): void;
  /** What it has counted; null where it does not say so in time. */
  count(withinMs: number): Promise<readonly object[] | null>;
  /** Lets it end in order. */
  end(): void;
  kill(): void;
};

/**
 * What a child may know of the environment. Not the rest: secrets of the configuration can stand there, and a
 * gateway process has no need of them.
 */
const ENVIRONMENT = ['PATH', 'TZ', 'LANG', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];

/** Starts one. The pipe to it is a socket pair that no other process has. */
export function startChild(
  { file, args, flags }: Program,
  setup: Setup,
  relay: Relay,
  boardFd: number,
): Child {
  const stdio: ('ignore' | 'inherit' | 'ipc' | number)[] = ['ignore', 'inherit', 'inherit', 'ipc'];
  stdio[BOARD_FD] = boardFd;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => ENVIRONMENT.includes(name)));
  const child = fork(file, [...args], { execArgv: [...flags], env, stdio });
  const owed: { since: number; readonly over: boolean }[] = [];
  const listening = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const counting: ((numbers: readonly object[]) => void)[] = [];
  // Whoever does not wait for it is told by `gone`.
  listening.promise.catch(() => undefined);

  const send = (message: ToChild): void => {
    if (message.type === 'news') owed.push({ since: performance.now(), over: message.over.length > 0 });
    // A child that is no more answers nothing; its end is heard of by `exit`.
    if (child.connected) child.send(message, () => undefined);
  };
  const line = relay.open(send);
  const take = (message: FromChild): void => {
    if (message.type === 'ask') void line.answer(message.id, message.ask);
    else if (message.type === 'heard') owed.shift();
    else if (message.type === 'listening') listening.resolve();
    else if (message.type === 'counted')
      counting.shift()?.(Array.isArray(message.numbers) ? message.numbers : []);
    else listening.reject(errorOf(message.problem));
  };
  child.on('message', (message) => {
    try {
      take(message as FromChild);
    } catch {
      // It talks nonsense: whatever it has become, the bot's process does not end with it.
      kill(child);
    }
  });
  const ended = (): void => {
    line.close();
    listening.reject(new MintwardenError('state', 'A gateway process ended before it answered.'));
    gone.resolve();
  };
  child.once('exit', ended);
  // More than once, it may be: an error that nobody hears would end the bot's process.
  child.on('error', () => {
    if (child.pid === undefined) ended();
  });
  // A child without its pipe hears nothing: it ends by itself, and if not, by force.
  child.once('disconnect', () => kill(child));
  send({ type: 'setup', setup, at: relay.at, now: relay.now() });
  return {
    pid: child.pid ?? 0,
    listening: listening.promise,
    gone: gone.promise,
    keepsUp: (overMs, otherMs) =>
      owed.every(({ since, over }) => performance.now() - since < (over ? overMs : otherMs)),
    forgive: (ms) => {
      for (const one of owed) one.since += ms;
    },
    count: (withinMs) => {
      const { promise, resolve } = Promise.withResolvers<readonly object[] | null>();
      const late = setTimeout(() => resolve(null), withinMs);
      counting.push((numbers) => {
        clearTimeout(late);
        resolve(numbers);
      });
      send({ type: 'count' });
      return promise;
    },
    end: () => send({ type: 'close' }),
    kill: () => kill(child),
  };
}

function kill(child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
}
