import type { ServerResponse } from 'node:http';
import type { MediaReference } from '../../domain/media-reference.ts';

/** An answer to a holder: a status and a JSON body, made here, never copied from the homeserver. */
export type GatewayResponse = {
  readonly status: number;
  readonly body: unknown;
  /** The capability that was missing, for the header that says so (RFC 6750, 3.1). */
  readonly missingCapability?: string;
  /** The methods there are, where another was used. */
  readonly allow?: readonly string[];
  /** The body as it is written, in pieces if it is long, where that was done already; `body` is then null. */
  readonly serialized?: string | readonly Uint8Array[];
  /** The files that are shown in it, where that is known already. */
  readonly mediaReferences?: readonly MediaReference[];
  /** A file in the place of a body, which is then null. */
  readonly file?: FileBody;
  /** The connection ends at once: it is not sure where the request does. */
  readonly closeConnection?: true;
};

/** A file on its way: its headers, all made here, and its bytes, passed on as they come. */
export type FileBody = {
  readonly headers: readonly string[];
  readonly pour: (response: ServerResponse) => void;
  readonly drop: () => void;
};

/**
 * What asking the homeserver came to, for multi-step endpoints: what was asked for, in a box, or what the
 * holder is told.
 */
export type AskResult = { readonly got: unknown } | GatewayResponse;

/** An answer of 200. */
export function ok(body: unknown): GatewayResponse {
  return { status: 200, body };
}

/** A Matrix error (spec 1.19, "Standard error response"). `more` is for the fields some codes have. */
export function matrixError(
  status: number,
  errcode: string,
  error: string,
  more: Readonly<Record<string, unknown>> = {},
): GatewayResponse {
  return { status, body: { errcode, error, ...more } };
}

/**
 * Outside the scope, or never delegable. One answer, word for word, for what exists, what does not and
 * what others may see: a refusal tells nothing.
 */
export const FORBIDDEN = matrixError(403, 'M_FORBIDDEN', 'This token does not allow that.');

/** A capability is missing. Said before any room or user is looked at, so it tells nothing of them. */
export function missingCapability(capability: string): GatewayResponse {
  return {
    ...matrixError(403, 'M_FORBIDDEN', `This token does not hold the capability ${capability}.`),
    missingCapability: capability,
  };
}

/** The endpoint rules of the scope, which look at the method and the path alone. */
export const REFUSED_BY_RULES = matrixError(
  403,
  'M_FORBIDDEN',
  'The endpoint rules of this token do not allow that.',
);

/** The request came from elsewhere than the scope's networks, or it cannot be told from where. */
export const WRONG_NETWORK = matrixError(403, 'M_FORBIDDEN', 'This token is not good from this network.');

/** There is no endpoint for it. */
export const UNRECOGNIZED = matrixError(404, 'M_UNRECOGNIZED', 'This is not served here.');

/** Not there, or not to be seen. */
export const NOT_FOUND = matrixError(404, 'M_NOT_FOUND', 'It was not found.');

/** A method that the path's endpoints do not have. */
export const WRONG_METHOD = matrixError(405, 'M_UNRECOGNIZED', 'This method is not served here.');

/** No token where one is needed. */
export const MISSING_TOKEN = matrixError(
  401,
  'M_MISSING_TOKEN',
  'Send the token as "Authorization: Bearer mwt_…".',
);

/** A token in the address: refused on purpose, since addresses end up in logs (MSC4127). */
export const TOKEN_IN_ADDRESS = matrixError(
  401,
  'M_MISSING_TOKEN',
  'A token in the address ends up in logs. Send it as "Authorization: Bearer mwt_…".',
);

/** Ended, unknown or not ours: the same to its holder. */
export const UNKNOWN_TOKEN = matrixError(401, 'M_UNKNOWN_TOKEN', 'This token is not valid, or no longer.', {
  soft_logout: false,
});

/** The subject is locked; the token may be good again later. */
export const USER_LOCKED = matrixError(401, 'M_USER_LOCKED', 'The user is locked.', { soft_logout: true });

/** No token is honoured until an operator has seen to it, and none is called dead either. */
export const LOCKED_DOWN = matrixError(
  503,
  'M_UNKNOWN',
  'Tokens are not honoured just now: the operator of this service has to look at it first. Try again later.',
);

/** The homeserver could not be used just now. */
export const UNAVAILABLE = matrixError(
  503,
  'M_UNKNOWN',
  'The homeserver cannot be used with this token just now. Try again later.',
);

/** The homeserver did not answer, or not in time. */
export const UNREACHABLE = matrixError(502, 'M_UNKNOWN', 'The homeserver did not answer.');

/** The homeserver's answer could not be understood, so nothing of it is shown. */
export const INVALID_UPSTREAM_RESPONSE = matrixError(
  502,
  'M_UNKNOWN',
  'The homeserver gave an answer that cannot be passed on.',
);

/** The code for JSON whose values cannot be taken (spec 1.19, "Standard error response"). */
export const BAD_JSON = 'M_BAD_JSON';

/** A filter that no address could hold, encoded. */
export const FILTER_TOO_LONG = matrixError(
  400,
  BAD_JSON,
  'The filter is too long to be asked for. Name fewer types, senders and rooms, or use wildcards.',
);

/** More bytes than are taken. */
export const TOO_LARGE = matrixError(413, 'M_TOO_LARGE', 'The request is too large.');

/** Wait. */
export function rateLimited(retryAfterMs: number): GatewayResponse {
  return matrixError(429, 'M_LIMIT_EXCEEDED', 'Too many requests.', { retry_after_ms: retryAfterMs });
}

/**
 * Two readers could understand it in two ways, so nobody is asked. `what` names the fault, never the value.
 */
export function ambiguous(what: string): GatewayResponse {
  return matrixError(400, 'M_UNKNOWN', `The request is ambiguous: ${what}.`);
}

/** A parameter has a value that does not belong to it. */
export function invalid(parameter: string): GatewayResponse {
  return matrixError(
    400,
    'M_INVALID_PARAM',
    `The parameter ${parameter} has a value that is not understood.`,
  );
}

/**
 * What changes something takes no parameters: a delay would let it happen when the token is over (MSC4140), a
 * time would date it back, and one that narrows it (`propagate=false`, MSC4069) would be widened by leaving it out.
 */
export const NO_PARAMETERS = matrixError(
  400,
  'M_INVALID_PARAM',
  'This request takes no parameters in its address. Leave them out.',
);

/** Whether something is an answer already: readers return either what they read or the refusal. */
export function isResponse(value: unknown): value is GatewayResponse {
  return typeof value === 'object' && value !== null && 'status' in value && 'body' in value;
}
