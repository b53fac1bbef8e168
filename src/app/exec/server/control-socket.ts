import { chmod } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { MintwardenError } from '../../../domain/errors.ts';
import type { Log } from '../../../ports/log.ts';
import { errorCode } from '../../error-code.ts';
import { createLineReader } from '../line-reader.ts';
import {
  MAX_LINE_BYTES,
  parseReceipt,
  parseRequest,
  type ExecResponse,
  type TokenMessage,
  type ExecRequest,
  VERSION,
} from '../protocol.ts';
import { prepareSocketPath } from './socket-file.ts';

const MAX_CONNECTIONS = 32;

/** Patience, in milliseconds. */
const TIMEOUTS = { request: 10_000, receipt: 30_000, command: 120_000, ending: 5_000, reading: 10_000 };

/**
 * Hands a token to the client. Resolves when it says that it is kept. @throws MintwardenError where it is not
 */
export type HandToken = (grant: string, token: string) => Promise<void>;

/** Answers a request; tokens go out through `hand` alone. Never throws. */
export type Responder = (
  request: ExecRequest,
  hand: HandToken,
) => Promise<Omit<ExecResponse, 'version' | 'kind'>>;

/** A control socket that listens. */
export type ControlSocket = { stop(): Promise<void> };

/**
 * Listens on a Unix socket that only its owner can open (0600 in a folder of 0700). One request on each
 * connection, in one line; a line that is not whole never acts.
 * @throws MintwardenError `configuration` | `state` where it cannot listen there
 */
export async function startControlSocket(
  file: string,
  respond: Responder,
  log: Log,
  times: Partial<typeof TIMEOUTS> = {},
): Promise<ControlSocket> {
  await prepareSocketPath(file);
  const patience = { ...TIMEOUTS, ...times };
  const open = new Map<Socket, Promise<void>>();
  const idle = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    // A client that goes away is no news.
    socket.on('error', () => socket.destroy());
    idle.add(socket);
    const answering: Responder = (request, hand) => {
      idle.delete(socket);
      return respond(request, hand);
    };
    const work = serve(socket, answering, patience).catch((error: unknown) => {
      log.debug('control connection ended', {
        problem: error instanceof MintwardenError ? error.message : 'unexpected',
      });
      socket.destroy();
    });
    open.set(socket, work);
    socket.once('close', () => {
      open.delete(socket);
      idle.delete(socket);
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, file);
  return {
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Clients that have sent no request yet are not waited for.
      for (const socket of idle) socket.destroy();
      await Promise.race([Promise.all(open.values()), sleep(patience.ending, undefined, { ref: false })]);
      for (const socket of open.keys()) socket.destroy();
      await closed;
    },
  };
}

async function listen(server: Server, file: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path: file }, resolve);
    });
    await chmod(file, 0o600);
  } catch (error) {
    server.close();
    throw new MintwardenError(
      'state',
      `The control socket ${file} could not be made (${errorCode(error)}).`,
      null,
      { cause: error },
    );
  }
}

async function serve(socket: Socket, respond: Responder, patience: typeof TIMEOUTS): Promise<void> {
  const lines = createLineReader(socket, MAX_LINE_BYTES);
  const answer = (said: Omit<ExecResponse, 'version' | 'kind'>) =>
    finish(socket, { version: VERSION, kind: 'answer', ...said }, patience.reading);
  let request: ExecRequest;
  try {
    const line = await lines.next(patience.request);
    if (line === null) return void socket.destroy();
    request = parseRequest(line);
  } catch (error) {
    return answer(errorResponse(error));
  }
  const hand: HandToken = async (grant, token) => {
    const handed: TokenMessage = { version: VERSION, kind: 'token', grant, token };
    socket.write(`${JSON.stringify(handed)}\n`);
    const line = await lines.next(patience.receipt);
    const receipt = line === null ? null : parseReceipt(line);
    if (receipt?.kind === 'kept') return;
    throw new MintwardenError(
      'state',
      receipt === null
        ? `The terminal went away before it said that the token of grant ${grant} is in the file.`
        : `The token of grant ${grant} could not be written into the file (${receipt.why}).`,
      `It waits: \`mintwarden exec 'deliver ${grant} --out FILE'\` takes it. If nobody does in time, the grant ends.`,
    );
  };
  const late = sleep(patience.command, null, { ref: false });
  const said = await Promise.race([respond(request, hand), late]);
  await answer(
    said ??
      errorResponse(
        new MintwardenError('conflict', 'The answer takes too long; what was begun goes on.', 'See `list`.'),
      ),
  );
}

function errorResponse(error: unknown): Omit<ExecResponse, 'version' | 'kind'> {
  const {
    code,
    message,
    hint: next,
  } = error instanceof MintwardenError ? error : new MintwardenError('internal', 'Something went wrong.');
  return { command: null, words: message, data: {}, error: { code, message, next } };
}

/** Resolves when the answer has been read, or nobody reads it. */
async function finish(socket: Socket, answer: ExecResponse, patienceMs: number): Promise<void> {
  const done = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    socket.end(`${JSON.stringify(answer)}\n`, () => resolve());
  });
  await Promise.race([done, sleep(patienceMs, undefined, { ref: false })]);
  socket.destroy();
}
