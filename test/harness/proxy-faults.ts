import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { realTime } from '../support/wait.ts';

/** A request as the proxy saw it. */
export interface SeenRequest {
  method: string;
  /** As sent, still percent-encoded, without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
  atMs: number;
  /** What the homeserver answered; null if it was not asked or has not answered. */
  status: number | null;
  /** The client hung up, or died, before it got the answer. */
  abandoned: boolean;
}

/** The homeserver's answer, whole. */
export interface HeldAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** One exchange in the hands of a fault. */
export interface Exchange {
  request: SeenRequest;
  response: ServerResponse;
  /** Resolves when the test lets go of what it held. */
  released: Promise<void>;
}

/**
 * Something that goes wrong: `before` the homeserver is asked, or `after` it has answered (and so has
 * done what was asked). What it leaves neither answered nor cut goes on as usual.
 */
export interface Fault {
  before?: (exchange: Exchange) => Promise<void> | void;
  after?: (exchange: Exchange, answer: HeldAnswer) => Promise<void> | void;
}

/** On which side of the homeserver's work a fault strikes. */
export type Side = 'before' | 'after';

/**
 * Answers in the homeserver's place, which is not asked. A string is sent as it is, anything else as JSON.
 */
export function answerWith(status: number, body: unknown = {}, headers: Record<string, string> = {}): Fault {
  return {
    before: ({ response }) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
    },
  };
}

/** Bytes that are no HTTP. */
export function garbage(): Fault {
  return {
    before: ({ response }) =>
      new Promise((resolve) => {
        response.socket?.end(Buffer.from('\u0000\u0001nonsense\r\n\r\n'), () => {
          response.destroy();
          resolve();
        });
      }),
  };
}

/** Cuts the connection. */
export function cut(side: Side): Fault {
  const strike = ({ response }: Exchange): void => {
    response.socket?.destroy();
  };
  return side === 'before' ? { before: strike } : { after: strike };
}

/** Sends half of the homeserver's answer, then cuts the connection. */
export function truncate(): Fault {
  return {
    after: ({ response }, answer) =>
      new Promise((resolve) => {
        response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length });
        response.write(answer.body.subarray(0, Math.floor(answer.body.length / 2)), () => {
          response.socket?.destroy();
          resolve();
        });
      }),
  };
}

/** Lets the exchange go on after a while. */
export function delay(ms: number, side: Side = 'before'): Fault {
  const wait = async (): Promise<void> => {
    await realTime(ms);
  };
  return side === 'before' ? { before: wait } : { after: wait };
}

/** Stops the exchange until the test calls `release()`, if ever: the place to kill somebody at. */
export function hold(side: Side): Fault {
  const wait = ({ released }: Exchange): Promise<void> => released;
  return side === 'before' ? { before: wait } : { after: wait };
}
