import { MintwardenError } from '../domain/errors.ts';

/** What the homeserver said no to: its status and code, for the few places that tell one no from another. */
export class HomeserverRefusal extends MintwardenError {
  readonly status: number;
  readonly errcode: string;
  /** The answer's body, for interactive authentication (401 with `flows`). */
  readonly body: unknown;

  constructor(
    error: { code: 'homeserver-refused' | 'homeserver-unreachable'; sentence: string; next: string | null },
    answer: HttpResponse,
  ) {
    super(error.code, error.sentence, error.next);
    this.status = answer.status;
    this.errcode = errcodeOf(answer.body);
    this.body = answer.body;
  }
}

/** An HTTP answer, its body parsed where it was JSON. */
export type HttpResponse = { readonly status: number; readonly body: unknown };

/** Whether the error is this one: 404, whatever the reason. */
export function isNotFound(error: unknown): boolean {
  return error instanceof HomeserverRefusal && error.status === 404;
}

/** Whether the homeserver said that we may not. */
export function isForbidden(error: unknown): boolean {
  return error instanceof HomeserverRefusal && error.status === 403;
}

/**
 * What an answer that is no success means to the caller: try again, or not. The homeserver's own words are
 * not repeated but for its code.
 */
export function toRefusal(answer: HttpResponse): MintwardenError {
  const { status, body } = answer;
  const errcode = errcodeOf(body);
  if (errcode === 'M_UNKNOWN_TOKEN' || errcode === 'M_MISSING_TOKEN') {
    const sentence = "The homeserver no longer accepts the bot's own access token.";
    return new HomeserverRefusal(
      { code: 'homeserver-refused', sentence, next: 'Run `mintwarden init` to log the bot in again.' },
      answer,
    );
  }
  if (status === 429) {
    const wait = retryAfterMs(body);
    const next = `Try again in ${wait === null ? 'a while' : `${Math.ceil(wait / 1_000)} s`}; better, lift the bot's rate limits.`;
    return new HomeserverRefusal(
      { code: 'homeserver-unreachable', sentence: 'The homeserver asks the bot to slow down.', next },
      answer,
    );
  }
  if (status >= 500 || status === 408) {
    const sentence = `The homeserver answered with an error of its own (${status}).`;
    return new HomeserverRefusal(
      { code: 'homeserver-unreachable', sentence, next: 'It is tried again.' },
      answer,
    );
  }
  if (status === 413 || errcode === 'M_TOO_LARGE') {
    return new HomeserverRefusal(
      { code: 'homeserver-refused', sentence: 'The message is too long for Matrix.', next: null },
      answer,
    );
  }
  if (errcode === 'M_INVITE_BLOCKED') {
    const sentence = 'Someone who was to be invited blocks invitations in their settings (M_INVITE_BLOCKED).';
    const next = 'They allow invitations in their client’s settings; then try again.';
    return new HomeserverRefusal({ code: 'homeserver-refused', sentence, next }, answer);
  }
  const said = errcode === '' ? `status ${status}` : errcode;
  return new HomeserverRefusal(
    { code: 'homeserver-refused', sentence: `The homeserver refused (${said}).`, next: null },
    answer,
  );
}

/** The homeserver could not be asked, or did not answer in time: nobody knows whether it acted. */
export function unreachable(why: string, cause?: unknown): MintwardenError {
  const sentence = `The homeserver cannot be reached (${why}).`;
  return new MintwardenError(
    'homeserver-unreachable',
    sentence,
    'It is tried again; check that the homeserver is up.',
    { cause },
  );
}

/** The homeserver answered what no homeserver should. */
export function invalidResponse(what: string): MintwardenError {
  const next = 'Check that `homeserver.url` is the homeserver itself and not a login page.';
  return new MintwardenError(
    'homeserver-invalid-response',
    `The homeserver's answer makes no sense (${what}).`,
    next,
  );
}

function errcodeOf(body: unknown): string {
  if (typeof body !== 'object' || body === null || !('errcode' in body)) return '';
  return typeof body.errcode === 'string' && /^[A-Z0-9_.a-z]{1,64}$/.test(body.errcode) ? body.errcode : '';
}

/** How long a 429 asks to wait, in its body; null where it does not say. */
export function retryAfterMs(body: unknown): number | null {
  if (typeof body !== 'object' || body === null || !('retry_after_ms' in body)) return null;
  return typeof body.retry_after_ms === 'number' && body.retry_after_ms >= 0 ? body.retry_after_ms : null;
}

/** Whether the homeserver does not know the token that was shown. */
export function isLoggedOut(error: unknown): boolean {
  return error instanceof HomeserverRefusal && error.errcode === 'M_UNKNOWN_TOKEN';
}

/**
 * Whether the session of the token has ended by itself, and may be renewed as the same device (Client-Server API,
 * "Soft logout").
 */
export function isSessionEnded(error: unknown): boolean {
  if (!(error instanceof HomeserverRefusal) || !isLoggedOut(error)) return false;
  const { body } = error;
  return typeof body === 'object' && body !== null && 'soft_logout' in body && body.soft_logout === true;
}
