import { MintwardenError } from '../../domain/errors.ts';
import type { AnswerFilter } from '../filters/answer-filter.ts';
import { type GatewayResponse, INVALID_UPSTREAM_RESPONSE, isResponse } from '../http/response.ts';
import { responseForError, readResponse } from './ask.ts';
import type { JsonClient } from './json-client.ts';

const KEPT_MS = 30_000;
const KEPT_FAILURE_MS = 1_000;

/**
 * Answers what is for anyone, without a token.
 * @param path what is asked of the homeserver
 * @param filter what is shown of its answer
 */
export type PublicAnswers = (path: string, filter: AnswerFilter) => Promise<GatewayResponse>;

/**
 * Asks the homeserver once for everybody, and again when that is old: who has no token cannot make it work,
 * nor open connections to it, however often they ask. Nothing of a request is part of what is asked.
 */
export function publicAnswers(json: JsonClient, timeoutMs: number, now: () => number): PublicAnswers {
  const kept = new Map<AnswerFilter, { answer: Promise<GatewayResponse>; until: number }>();
  return (path, filter) => {
    const known = kept.get(filter);
    if (known !== undefined && now() < known.until) return known.answer;
    const fresh = { answer: ask(json, path, filter, timeoutMs), until: Number.POSITIVE_INFINITY };
    kept.set(filter, fresh);
    fresh.answer.then(
      ({ status }) => void (fresh.until = now() + (status === 200 ? KEPT_MS : KEPT_FAILURE_MS)),
      () => void (fresh.until = now()),
    );
    return fresh.answer;
  };
}

async function ask(
  json: JsonClient,
  path: string,
  filter: AnswerFilter,
  timeoutMs: number,
): Promise<GatewayResponse> {
  try {
    // Nobody's leaving ends it: others wait for the same answer.
    const { signal } = new AbortController();
    const response = await json.ask({ method: 'GET', path, query: [] }, null, {
      timeoutMs,
      signal,
      memory: null,
      times: null,
      large: null,
    });
    const result = readResponse(response, false);
    return isResponse(result) ? result : filter(result.got, new Set());
  } catch (error) {
    return error instanceof MintwardenError ? responseForError(error) : INVALID_UPSTREAM_RESPONSE;
  }
}
