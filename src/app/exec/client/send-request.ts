import { connect, type Socket } from 'node:net';
import { errorCode } from '../../error-code.ts';
import { createLineReader } from '../line-reader.ts';
import {
  type ExecResponse,
  type TokenMessage,
  type Receipt,
  type ExecRequest,
  type ExecError,
  VERSION,
} from '../protocol.ts';

/** Answers are longer than requests: the room they may take, in bytes. */
const MAX_RESPONSE_BYTES = 16 * 1_048_576;
/** Longer than the service takes at most for a command. */
const TIMEOUT_MS = 150_000;

/** What came back. `words`: for people; `data`: for programs. */
export type ExecReply = Pick<ExecResponse, 'command' | 'words' | 'data' | 'error'>;

/**
 * Asks the running service, once. Never throws: that nobody answers is an answer too.
 * @param keep takes the token that is handed over, a secret; where it throws, the service is told that it was
 *   not kept
 */
export async function sendRequest(
  file: string,
  request: Omit<ExecRequest, 'version'>,
  keep: (token: string) => Promise<void>,
): Promise<ExecReply> {
  const opened = await connectTo(file);
  if (!('socket' in opened)) return errorReply(opened);
  const { socket } = opened;
  try {
    const lines = createLineReader(socket, MAX_RESPONSE_BYTES);
    socket.write(`${JSON.stringify({ version: VERSION, ...request } satisfies ExecRequest)}\n`);
    for (;;) {
      const line = await lines.next(TIMEOUT_MS);
      if (line === null) return errorReply(connectionLost(request.id));
      const said = JSON.parse(line) as ExecResponse | TokenMessage;
      if (said.kind === 'answer') return said;
      socket.write(`${JSON.stringify(await keepToken(said, keep))}\n`);
    }
  } catch {
    return errorReply(connectionLost(request.id));
  } finally {
    socket.destroy();
  }
}

async function keepToken({ token }: TokenMessage, keep: (token: string) => Promise<void>): Promise<Receipt> {
  try {
    await keep(token);
    return { version: VERSION, kind: 'kept' };
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    return { version: VERSION, kind: 'not-kept', why: errorCode(cause ?? error) };
  }
}

function connectTo(file: string): Promise<{ readonly socket: Socket } | ExecError> {
  return new Promise((resolve) => {
    const socket = connect(file);
    socket.once('connect', () => {
      // What breaks from here on ends the lines.
      socket.on('error', () => socket.destroy());
      resolve({ socket });
    });
    socket.once('error', (error) => resolve(connectError(file, errorCode(error))));
  });
}

function connectError(file: string, why: string): ExecError {
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

function connectionLost(id: string): ExecError {
  return {
    code: 'not-running',
    message: 'The service went away before it answered; what was asked may have been done.',
    next: `When it runs again, the same command with --id ${id} asks for the answer and does nothing twice.`,
  };
}

function errorReply(error: ExecError): ExecReply {
  return { command: null, words: [error.message, error.next].join('\n\n'), data: {}, error };
}
