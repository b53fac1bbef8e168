import { MintwardenError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Issuer } from '../../ports/issuer.ts';
import type { Log } from '../../ports/log.ts';
import { path, type Http } from './http.ts';
import { issuedFrom, killedFrom } from './outcome.ts';

const SMALL_ANSWER_BYTES = 64 * 1024;

/**
 * Upstream tokens by Synapse's login as a user (`POST /_synapse/admin/v1/users/<user>/login`). Synapse
 * accepts a `valid_until_ms` in the past, and none at all for ever, so both are stopped here.
 */
export function createIssuer(parts: {
  readonly http: Http;
  readonly issuerToken: () => string;
  readonly clock: Clock;
  readonly log: Log;
}): Issuer {
  const { http, issuerToken, clock, log } = parts;
  return {
    async issue(subject, validUntil) {
      if (!Number.isSafeInteger(validUntil)) {
        throw new MintwardenError(
          'internal',
          'An upstream token was asked for without a whole number as its end.',
        );
      }
      if (validUntil <= clock.now()) {
        return {
          kind: 'refused',
          why: 'other',
          problem: 'The end of the token had passed before it was asked for.',
        };
      }
      const token = issuerToken();
      const answer = await http.ask({
        method: 'POST',
        path: path`/_synapse/admin/v1/users/${subject}/login`,
        token,
        body: { valid_until_ms: validUntil },
        maxBytes: SMALL_ANSWER_BYTES,
      });
      const issued = issuedFrom(answer, token);
      if (issued.kind !== 'issued')
        log.warn('upstream token not issued', { subject, outcome: issued.kind, problem: issued.problem });
      return issued;
    },

    async kill(token) {
      const answer = await http.ask({
        method: 'POST',
        path: '/_matrix/client/v3/logout',
        token,
        body: {},
        maxBytes: SMALL_ANSWER_BYTES,
      });
      const killed = killedFrom(answer);
      if (killed.kind === 'unknown')
        log.warn('upstream token not confirmed dead', { problem: killed.problem });
      return killed;
    },
  };
}
