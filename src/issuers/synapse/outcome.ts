import { MintwardenError } from '../../domain/errors.ts';
import type { KillResult, IssueResult } from '../../ports/issuer.ts';
import { isBearer, type Answer, type JsonObject } from './http.ts';

type Answered = Extract<Answer, { kind: 'answer' }>;

/**
 * A refusal the homeserver itself speaks: 4xx and a Matrix errcode (Client-Server API, "Standard error
 * response").
 */
export type Refusal = { readonly status: number; readonly errcode: string };

/** The refusal in an answer, or null. Statuses that proxies use for requests they have passed on are none. */
export function refusalOf(answer: Answered): Refusal | null {
  const { status, body } = answer;
  if (status < 400 || status > 499 || status === 408 || status === 499) return null;
  const errcode = body?.['errcode'];
  return typeof errcode === 'string' && /^[A-Z][A-Z0-9_.]{0,99}$/i.test(errcode) ? { status, errcode } : null;
}

/**
 * What a sentence may say of an answer: its status and errcode, never its text, which could hold anything.
 */
function describe(answer: Answered): string {
  const refusal = refusalOf(answer);
  if (refusal !== null) return `${String(refusal.status)} ${refusal.errcode}`;
  return `${String(answer.status)}${answer.body === null ? ', not JSON' : ''}`;
}

/**
 * What came of asking for a token (Synapse admin API, "Login as a user"). `refused` only where the
 * homeserver itself said no, or nothing was sent; every doubt is `unknown`.
 */
export function issuedFrom(answer: Answer, issuerToken: string): IssueResult {
  if (answer.kind === 'unsent') return { kind: 'refused', why: 'other', problem: answer.problem };
  if (answer.kind === 'lost') return { kind: 'unknown', problem: answer.problem };
  if (answer.status === 200) {
    const token = answer.body?.['access_token'];
    // An answer that gives our own token back would make every holder a server administrator.
    if (isBearer(token) && token !== issuerToken) return { kind: 'issued', token };
    return { kind: 'unknown', problem: 'The homeserver said yes, but its answer held no usable token.' };
  }
  const refusal = refusalOf(answer);
  if (refusal === null)
    return {
      kind: 'unknown',
      problem: `The homeserver answered ${describe(answer)}, which says neither yes nor no.`,
    };
  return { kind: 'refused', ...explain(refusal) };
}

function explain(refusal: Refusal): {
  why: Extract<IssueResult, { kind: 'refused' }>['why'];
  problem: string;
} {
  const said = `(${String(refusal.status)} ${refusal.errcode})`;
  switch (refusal.errcode) {
    case 'M_NOT_FOUND':
      return { why: 'no-such-user', problem: `The homeserver does not know this user ${said}.` };
    case 'M_UNKNOWN_TOKEN':
    case 'M_MISSING_TOKEN':
      return {
        why: 'issuer-logged-out',
        problem: `The issuer account is logged out: the homeserver does not know its token ${said}.`,
      };
    case 'M_FORBIDDEN':
      return { why: 'not-admin', problem: `The issuer account is no server administrator ${said}.` };
    case 'M_LIMIT_EXCEEDED':
      return {
        why: 'limited',
        problem: `The homeserver limits how often the issuer account may ask ${said}.`,
      };
    case 'M_USER_LOCKED':
    case 'M_USER_DEACTIVATED':
      return { why: 'other', problem: `The issuer account is locked or deactivated ${said}.` };
    case 'M_UNRECOGNIZED':
      return {
        why: 'other',
        problem: `The homeserver offers no login as a user ${said}; one that leaves logins to another service does not.`,
      };
    default:
      return { why: 'other', problem: `The homeserver refused to make a token ${said}.` };
  }
}

/**
 * What came of logging a token out. Seen on Synapse 1.163: 200 for expired tokens and for those of a
 * locked or deactivated user too, and the token is gone afterwards; a second time 401 M_UNKNOWN_TOKEN.
 */
export function killedFrom(answer: Answer): KillResult {
  if (answer.kind !== 'answer') return { kind: 'unknown', problem: answer.problem };
  if (answer.status === 200 && answer.body !== null && Object.keys(answer.body).length === 0)
    return { kind: 'dead' };
  if (answer.status === 401 && answer.body?.['errcode'] === 'M_UNKNOWN_TOKEN') return { kind: 'dead' };
  return { kind: 'unknown', problem: `The homeserver answered the logout with ${describe(answer)}.` };
}

/**
 * The body of a good answer; `null` where the homeserver says that there is no such thing.
 * @throws MintwardenError `homeserver-unreachable`, `homeserver-refused` or `homeserver-invalid-response`
 */
export function bodyOf(answer: Answer, asked: string): JsonObject | null {
  if (answer.kind !== 'answer') {
    throw new MintwardenError(
      'homeserver-unreachable',
      `${answer.problem} It was asked for ${asked}.`,
      'Look whether the homeserver runs and whether the address is right, then try again.',
    );
  }
  if (answer.status >= 200 && answer.status < 300 && answer.body !== null) return answer.body;
  const refusal = refusalOf(answer);
  if (refusal === null) {
    throw new MintwardenError(
      answer.status >= 500 ? 'homeserver-unreachable' : 'homeserver-invalid-response',
      `The homeserver, asked for ${asked}, answered ${describe(answer)}.`,
      'Look whether the homeserver is well, and what stands between it and Mintwarden.',
    );
  }
  if (refusal.status === 404 && refusal.errcode === 'M_NOT_FOUND') return null;
  throw new MintwardenError(
    'homeserver-refused',
    `The homeserver, asked for ${asked}, refused (${String(refusal.status)} ${refusal.errcode}).`,
    'Run mintwarden doctor: it looks at the issuer account and its rights.',
  );
}

/** For an answer whose form is not what the homeserver's documentation says. */
export function invalidResponse(asked: string): MintwardenError {
  return new MintwardenError(
    'homeserver-invalid-response',
    `The homeserver, asked for ${asked}, gave an answer that makes no sense.`,
    'Look what stands between the homeserver and Mintwarden, and whether it is a supported Synapse.',
  );
}
