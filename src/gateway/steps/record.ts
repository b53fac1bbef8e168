import type { GatewayResponse } from '../http/response.ts';
import { isObject } from '../../domain/json.ts';
import type { RequestContext } from '../request/context.ts';
import type { RequestRecord } from '../request/record.ts';
import type { GatewayServices } from '../request/services.ts';

type End = { readonly outcome: RequestRecord['outcome']; readonly response: GatewayResponse | null };

/** Logs and counts a request that is over. */
export function record(
  context: RequestContext,
  { log, unauthenticatedLog, observer, now, timer }: GatewayServices,
  { outcome, response }: End,
): void {
  const { operation, grantId, homeserverMs, startedAt } = context;
  const status = response?.status ?? 0;
  const facts = { operation, status, ms: now() - startedAt, grant: grantId };
  if (context.access === null) unauthenticatedLog.note(facts);
  else log.info('request', facts);
  try {
    if (context.isPolling) observer.polling(-1);
    observer.answered({
      operation,
      outcome,
      status,
      errcode: response === null ? null : errcodeIn(response),
      ms: timer.now() - context.startedMonotonic,
      homeserverMs,
      timed: context.route?.endpoint.untimed !== true,
    });
  } catch (error) {
    // A failure to count must not end a request.
    log.warn('request not counted', { error: error instanceof Error ? error.name : 'unknown' });
  }
}

/** What of an answer tells refusals apart. */
function errcodeIn({ status, body }: GatewayResponse): string | null {
  if (status < 400 || !isObject(body)) return null;
  return typeof body['errcode'] === 'string' ? body['errcode'] : null;
}
