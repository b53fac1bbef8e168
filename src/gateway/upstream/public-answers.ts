import { MintwardenError } from '../../domain/errors.ts';
import { type GatewayResponse, isResponse, INVALID_UPSTREAM_RESPONSE } from '../http/response.ts';
import type { OpenLine } from '../endpoints/endpoint.ts';
import type { AnswerFilter } from '../filters/answer-filter.ts';
import type { JsonClient } from './json-client.ts';
import { unlessAborted } from '../http/unless-aborted.ts';
import { failure, told } from './ask.ts';

const KEPT_MS = 30_000;
const KEPT_FAILURE_MS = 1_000;

/** Answers a line that is for anyone, without a token. */
export type Openly = (line: OpenLine, hasDevice: boolean, signal: AbortSignal) => Promise<GatewayResponse>;

/**
 * Asks the homeserver once for everybody, and again when that is old: who has no token cannot make it
 * work, nor open connections to it, however often they ask. Nothing of a request is part of what is asked.
 */
export function openly(forwarder: JsonClient, timeoutMs: number, now: () => number): Openly {
  const kept = new Map<string, { answer: Promise<GatewayResponse>; until: number }>();
  return async (line, hasDevice, signal) => {
    const filter = (hasDevice ? line.deviceFilter : undefined) ?? line.filter;
    const key = filter === line.filter ? line.id : `${line.id} device`;
    const known = kept.get(key);
    if (known !== undefined && now() < known.until) return await unlessAborted(known.answer, signal);
    const fresh = { answer: ask(forwarder, line.to, filter, timeoutMs), until: Number.POSITIVE_INFINITY };
    kept.set(key, fresh);
    fresh.answer.then(
      ({ status }) => void (fresh.until = now() + (status === 200 ? KEPT_MS : KEPT_FAILURE_MS)),
      () => void (fresh.until = now()),
    );
    return await unlessAborted(fresh.answer, signal);
  };
}

async function ask(
  forwarder: JsonClient,
  path: string,
  filter: AnswerFilter,
  timeoutMs: number,
): Promise<GatewayResponse> {
  try {
    // Nobody's leaving ends it: others wait for the same answer.
    const { signal } = new AbortController();
    const reply = await forwarder.ask({ method: 'GET', path, query: [] }, null, {
      timeoutMs,
      signal,
      held: null,
      large: null,
    });
    const result = told(reply, false);
    return isResponse(result) ? result : filter(result.got, new Set());
  } catch (error) {
    return error instanceof MintwardenError ? failure(error) : INVALID_UPSTREAM_RESPONSE;
  }
}
