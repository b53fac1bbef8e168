import {
  type Exchange,
  type ExchangeListener,
  type ResponseHead,
  type Sent,
  type Transport,
  TransportError,
} from '../../../../src/gateway/upstream/transport/transport.ts';
import { settled } from '../../../support/wait.ts';

/** What a listener was told, in order. */
export type Recorded = {
  readonly calls: string[];
  head: ResponseHead | null;
  /** Copied. */
  body: string;
  error: Error | null;
};

export type Asked = Recorded & {
  readonly sent: Sent;
  /** When `onEnd` or `onError` was told. */
  readonly over: Promise<Recorded>;
};

export const GET: Exchange = {
  method: 'GET',
  target: '/x',
  headers: ['accept', 'application/json'],
  body: null,
};

/** Sends, and writes down what is told. */
export function ask(
  transport: Transport,
  exchange: Partial<Exchange> = {},
  hooks: Partial<ExchangeListener> = {},
): Asked {
  const recorded: Recorded = { calls: [], head: null, body: '', error: null };
  const { promise, resolve } = Promise.withResolvers<Recorded>();
  const sent = transport.send(
    { ...GET, ...exchange },
    {
      onStart() {
        recorded.calls.push('start');
        hooks.onStart?.();
      },
      onHead(head) {
        recorded.calls.push('head');
        recorded.head = head;
        hooks.onHead?.(head);
      },
      onData(chunk) {
        recorded.calls.push('data');
        recorded.body += chunk.toString('latin1');
        hooks.onData?.(chunk);
      },
      onEnd() {
        recorded.calls.push('end');
        hooks.onEnd?.();
        resolve(recorded);
      },
      onError(error) {
        recorded.calls.push('error');
        recorded.error = error;
        hooks.onError?.(error);
        resolve(recorded);
      },
    },
  );
  return Object.assign(recorded, { sent, over: promise });
}

/** The code of what went wrong. */
export function codeOf(recorded: Recorded): string | null {
  return recorded.error instanceof TransportError ? recorded.error.code : null;
}

/** Long enough for whatever might still come. */
export const settle = (): Promise<void> => settled();
