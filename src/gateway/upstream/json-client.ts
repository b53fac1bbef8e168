import type { UpstreamRequest } from '../http/call.ts';
import type { CoarseTimer } from '../limits/coarse-timer.ts';
import {
  type CallListener,
  type CallOptions,
  JsonCall,
  type Sizes,
  type UpstreamResponse,
} from './json-call.ts';
import type { Sent, Transport } from './transport/transport.ts';

/**
 * A body of 200, boxed so that it cannot pass for a refusal; or its job instead, where it was large; or what is
 * shown of it, where that is known already.
 */
export type Received = Pick<UpstreamResponse, 'large' | 'filtered'> & { readonly got: unknown };

/** The same for callers that wait with a promise. */
export type AskOptions = CallOptions & { readonly signal: AbortSignal };

/** The only way to the homeserver for JSON. */
export interface JsonClient {
  /**
   * Asks once; never tries again. Where more would be held than is allowed, that is answered with a 429.
   * @param token the upstream token, or null for what is asked without
   */
  send(request: UpstreamRequest, token: string | null, options: CallOptions, listener: CallListener): Sent;
  /**
   * The same with a promise.
   * @throws MintwardenError `homeserver-unreachable` (down, too slow), `homeserver-invalid-response` (compressed,
   *   not JSON, too large); the signal's reason when it is aborted
   */
  ask(request: UpstreamRequest, token: string | null, options: AskOptions): Promise<UpstreamResponse>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** A client over a transport. It closes the transport with itself. */
export function createJsonClient(transport: Transport, sizes: Sizes, timer: CoarseTimer): JsonClient {
  const send: JsonClient['send'] = (request, token, options, listener) => {
    const call = new JsonCall(sizes, timer, options, listener);
    call.start(transport, request, token);
    return call;
  };
  return {
    send,
    ask: (request, token, options) =>
      new Promise((resolve, reject) => {
        const { signal } = options;
        if (signal.aborted) return reject(signal.reason as Error);
        const onAbort = (): void => {
          call.abort();
          reject(signal.reason as Error);
        };
        signal.addEventListener('abort', onAbort, { once: true });
        const call = send(request, token, options, {
          onResponse(response) {
            signal.removeEventListener('abort', onAbort);
            resolve(response);
          },
          onFailure(error) {
            signal.removeEventListener('abort', onAbort);
            reject(error);
          },
        });
      }),
    close: () => transport.close(),
  };
}
