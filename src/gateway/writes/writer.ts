import type { EventId, GrantId } from '../../domain/ids.ts';
import type { Access, AccessControl, UpstreamToken } from '../../lifecycle/access/access-control.ts';
import type { Transaction, TransactionKey, Transactions } from '../../ports/transactions.ts';
import { isObject } from '../filters/json-shape.ts';
import type { UpstreamRequest } from '../http/call.ts';
import {
  FORBIDDEN,
  type GatewayResponse,
  INVALID_UPSTREAM_RESPONSE,
  isResponse,
  matrixError,
  ok,
  rateLimited,
  UNAVAILABLE,
  UNREACHABLE,
  USER_LOCKED,
} from '../http/response.ts';
import { unlessAborted } from '../http/unless-aborted.ts';
import type { RateLimiter } from '../limits/rate-limiter.ts';
import { errcodeOf, isTokenUnknown, type OnBehalf, renewLease, type Upstreams } from '../upstream/ask.ts';
import type { UpstreamResponse } from '../upstream/json-call.ts';
import { createLookUp, type LookUp } from '../upstream/look-up.ts';
import { mapUpstreamError } from '../upstream/map-error.ts';
import { isEventId } from './content-rules.ts';
import { findSent } from './find-sent.ts';
import { preconditions } from './preconditions.ts';
import { digestOf, upstreamTxnId } from './txn-id.ts';
import type { WriteRequest } from './write-request.ts';

/** What writing uses. */
export type WriterServices = Upstreams & {
  readonly accessControl: AccessControl;
  readonly transactions: Transactions;
  readonly rateLimiter: RateLimiter;
  readonly timeoutMs: number;
  readonly now: () => number;
  /** A transaction id where the holder gave none: random, never the same again. */
  readonly newTxnId: () => string;
};

/** Carries one write out. @throws the reason of `onBehalf.signal` when it is aborted */
export type Writer = (write: WriteRequest, access: Access, onBehalf: OnBehalf) => Promise<GatewayResponse>;

const FORGET_AFTER_MS = 86_400_000;
const FORGET_EVERY_MS = 3_600_000;
/** So long a write whose answer was lost may yet turn up. */
const MAY_TURN_UP_MS = 60_000;

const USED_OTHERWISE = matrixError(
  400,
  'M_INVALID_PARAM',
  'This transaction id was used before, for something else.',
);
const NOT_KNOWN_YET = matrixError(
  503,
  'M_UNKNOWN',
  'It is not known yet whether this was sent. Ask again with the same transaction id.',
);
const NOT_KNOWN = matrixError(
  409,
  'M_UNKNOWN',
  'It is not known whether this was sent, so it is not sent again. Look in the room; under a new transaction id it would be.',
);

/**
 * Writes, each under one transaction id at most once: what is about to be sent is written down durably
 * before, and where its answer was lost it is looked for in the room and never sent again. What was begun is
 * carried to its end when the holder goes, so that its event id is known when they come back.
 */
export function createWriter(services: WriterServices): Writer {
  const { accessControl, json, transactions, rateLimiter, timeoutMs, now } = services;
  const check = preconditions();
  const running = new Map<string, Promise<GatewayResponse>>();
  let forgotAt = Number.NEGATIVE_INFINITY;

  return async (write, access, onBehalf) => {
    const { grant } = access;
    const { signal } = onBehalf;
    const key: TransactionKey = {
      grantId: grant.id,
      roomId: write.roomId,
      action: write.action,
      txnId: write.txnId ?? services.newTxnId(),
    };
    const digest = digestOf(grant.id, write.content);
    const lookUp = createLookUp(services, onBehalf, timeoutMs);
    await forgetNowAndThen();
    const known = write.txnId === null ? null : await transactions.find(key);
    if (known !== null) return settled(known, digest, access, lookUp, signal);
    const waitMs = await rateLimiter.take(grant.id);
    if (waitMs > 0) return rateLimited(waitMs);
    const refused = await check(write, grant, lookUp);
    if (refused !== null) return refused;
    const lease = await unlessAborted(accessControl.upstreamToken(grant.id), signal);
    const begun = await transactions.begin({ ...key, digest, leaseId: lease.leaseId, begunAt: now() });
    if (!begun) return settled(await transactions.find(key), digest, access, lookUp, signal);
    // While that was looked at the grant may have ended, or the room left the scope.
    if (signal.aborted || !access.rooms.has(write.roomId)) {
      await transactions.unsent(key);
      if (signal.aborted) throw signal.reason;
      return FORBIDDEN;
    }
    const sending = send(key, write, lease, signal);
    const name = nameOf(key);
    running.set(name, sending);
    const done = (): void => void running.delete(name);
    sending.then(done, done);
    return unlessAborted(sending, signal);
  };

  /** What a known one came to. It is not sent. */
  async function settled(
    known: Transaction | null,
    digest: string,
    access: Access,
    lookUp: LookUp,
    signal: AbortSignal,
  ): Promise<GatewayResponse> {
    if (known === null) return NOT_KNOWN_YET;
    if (known.digest !== digest) return USED_OTHERWISE;
    if (known.eventId !== null) return ok({ event_id: known.eventId });
    const sending = running.get(nameOf(known));
    if (sending !== undefined) return unlessAborted(sending, signal);
    const waitMs = await rateLimiter.take(known.grantId);
    if (waitMs > 0) return rateLimited(waitMs);
    const eventId = await findSent(known, access.grant.subject, lookUp);
    if (eventId === null) return now() - known.begunAt < MAY_TURN_UP_MS ? NOT_KNOWN_YET : NOT_KNOWN;
    await transactions.sent(known, eventId);
    return ok({ event_id: eventId });
  }

  async function send(
    key: TransactionKey,
    write: WriteRequest,
    lease: UpstreamToken,
    signal: AbortSignal,
  ): Promise<GatewayResponse> {
    const path = `${write.path}/${upstreamTxnId(key)}`;
    const request: UpstreamRequest = { method: 'PUT', path, query: [], body: write.content };
    const first = await sendOnce(request, lease, signal);
    if (first === 'unsent') return unsent(key, UNREACHABLE);
    if (first === 'lost') return UNREACHABLE;
    if (!isTokenUnknown(first)) return outcome(key, first);
    // It was refused at the door: nothing was sent with that token.
    const renewed = await renewLease(accessControl, key.grantId, lease).catch(() => UNAVAILABLE);
    if (isResponse(renewed)) return unsent(key, renewed);
    await transactions.resume(key, renewed.leaseId);
    const second = await sendOnce(request, renewed, signal);
    if (second === 'unsent') return unsent(key, UNREACHABLE);
    if (second === 'lost') return UNREACHABLE;
    return isTokenUnknown(second) ? unsent(key, UNAVAILABLE) : outcome(key, second);
  }

  /**
   * `unsent`: it never left, and will not; `lost`: what became of it is not known. Once it left, nobody's
   * leaving ends it.
   */
  async function sendOnce(
    request: UpstreamRequest,
    lease: UpstreamToken,
    signal: AbortSignal,
  ): Promise<UpstreamResponse | 'unsent' | 'lost'> {
    let started = false;
    const abort = new AbortController();
    // What waits for a connection, or for another lease, is not to be sent when the grant is over.
    const onAbort = (): void => {
      if (!started) abort.abort(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      return await json.ask(request, lease.token, {
        timeoutMs,
        signal: abort.signal,
        memory: null,
        times: null,
        large: null,
        onStart: () => void (started = true),
      });
    } catch {
      return started ? 'lost' : 'unsent';
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async function outcome(key: TransactionKey, response: UpstreamResponse): Promise<GatewayResponse> {
    if (response.status === 200) {
      const eventId = isObject(response.body) ? response.body['event_id'] : undefined;
      if (!isEventId(eventId)) return INVALID_UPSTREAM_RESPONSE;
      await transactions.sent(key, eventId as EventId);
      return ok({ event_id: eventId });
    }
    // The homeserver's own word that it did not. A proxy's, or one of trouble in it, proves nothing.
    const refused =
      response.status >= 400 && response.status < 500 && typeof errcodeOf(response) === 'string';
    const mapped = errcodeOf(response) === 'M_USER_LOCKED' ? USER_LOCKED : mapUpstreamError(response, false);
    return refused ? unsent(key, mapped) : UNREACHABLE;
  }

  async function unsent(key: TransactionKey, answer: GatewayResponse): Promise<GatewayResponse> {
    await transactions.unsent(key);
    return answer;
  }

  async function forgetNowAndThen(): Promise<void> {
    if (now() - forgotAt < FORGET_EVERY_MS) return;
    forgotAt = now();
    await transactions.forgetBefore(forgotAt - FORGET_AFTER_MS);
  }
}

function nameOf({
  grantId,
  roomId,
  action,
  txnId,
}: Pick<TransactionKey, 'roomId' | 'action' | 'txnId'> & { grantId: GrantId }): string {
  return JSON.stringify([grantId, roomId, action, txnId]);
}
