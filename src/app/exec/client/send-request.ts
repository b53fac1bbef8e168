import { connect, type Socket } from 'node:net';
import { codeOf } from '../../error-code.ts';
import { linesOf } from '../line-reader.ts';
import {
  type Answer,
  type Handed,
  type Receipt,
  type Request,
  type ToldError,
  VERSION,
} from '../protocol.ts';

/** Answers are longer than requests: the room they may take, in bytes. */
const MAX_ANSWER_BYTES = 16 * 1_048_576;
/** Longer than the service takes at most for a command. */
const PATIENCE_MS = 150_000;

/** What came back. `words`: for people; `data`: for programs. */
export type Reply = Pick<Answer, 'command' | 'words' | 'data' | 'error'>;

/**
 * Asks the running service, once. Never throws: that nobody answers is an answer too.
 * @param keep takes the token that is handed over, a secret; where it throws, the service is told that it was
 *   not kept
 */
export async function ask(
  file: string,
  request: Omit<Request, 'version'>,
  keep: (token: string) => Promise<void>,
): Promise<Reply> {
  const opened = await open(file);
  if (!('socket' in opened)) return reply(opened);
  const { socket } = opened;
  try {
    const lines = linesOf(socket, MAX_ANSWER_BYTES);
    socket.write(`${JSON.stringify({ version: VERSION, ...request } satisfies Request)}\n`);
    for (;;) {
      const line = await lines.next(PATIENCE_MS);
      if (line === null) return reply(lost(request.id));
      const said = JSON.parse(line) as Answer | Handed;
      if (said.kind === 'answer') return said;
      socket.write(`${JSON.stringify(await receiptOf(said, keep))}\n`);
    }
  } catch {
    return reply(lost(request.id));
  } finally {
    socket.destroy();
  }
}

async function receiptOf({ token }: Handed, keep: (token: string) => Promise<void>): Promise<Receipt> {
  try {
    await keep(token);
    return { version: VERSION, kind: 'kept' };
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    return { version: VERSION, kind: 'not-kept', why: codeOf(cause ?? error) };
  }
}

function open(file: string): Promise<{ readonly socket: Socket } | ToldError> {
  return new Promise((resolve) => {
    const socket = connect(file);
    socket.once('connect', () => {
      // What breaks from here on ends the lines.
      socket.on('error', () => socket.destroy());
      resolve({ socket });
    });
    socket.once('error', (error) => resolve(unopened(file, codeOf(error))));
  });
}

function unopened(file: string, why: string): ToldError {
  if (why === 'EACCES' || why === 'EPERM') {
    return {
      code: 'not-allowed',
      message: `You may not open ${file}: only the user that Mintwarden runs as may.`,
      next: 'Run this as that user, for example with sudo -u.',
    };
  }
  return {
    code: 'not-running',
    message: `No Mintwarden answers at ${file} (${why}).`,
    next: 'Start it with `mintwarden start`. If it runs with another configuration, name that with --config, or its socket with --socket.',
  };
}

function lost(id: string): ToldError {
  return {
    code: 'not-running',
    message: 'The service went away before it answered; what was asked may have been done.',
    next: `When it runs again, the same command with --id ${id} asks for the answer and does nothing twice.`,
  };
}

function reply(error: ToldError): Reply {
  return { command: null, words: [error.message, error.next].join('\n\n'), data: {}, error };
}
