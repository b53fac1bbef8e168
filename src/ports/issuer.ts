import type { UserId } from '../domain/ids.ts';

/**
 * What came of asking for an upstream token. `refused`: the homeserver said no, nothing exists.
 * `unknown`: no usable answer, a token may exist that we never saw.
 */
export type IssueResult =
  | { readonly kind: 'issued'; readonly token: string }
  | {
      readonly kind: 'refused';
      readonly why: 'no-such-user' | 'not-admin' | 'issuer-logged-out' | 'limited' | 'other';
      readonly problem: string;
    }
  | { readonly kind: 'unknown'; readonly problem: string };

/** `dead`: confirmed by the homeserver. `unknown`: try again. */
export type KillResult = { readonly kind: 'dead' } | { readonly kind: 'unknown'; readonly problem: string };

/** Makes and kills upstream tokens. Problems are plain sentences without secrets. */
export interface Issuer {
  /**
   * Asks the homeserver for a token that speaks for the subject until `validUntil` (epoch ms).
   * Never throws for what the homeserver does.
   */
  issue(subject: UserId, validUntil: number): Promise<IssueResult>;
  /** Ends an upstream token. A token the homeserver no longer knows counts as dead. */
  kill(token: string): Promise<KillResult>;
}
