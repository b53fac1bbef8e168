import type { OldCopy } from './anchor.ts';
import type { Actor, GrantId } from './ids.ts';

/**
 * What people are told when the state, the homeserver or the clock turns out to be another than it was. Times
 * are epoch ms.
 */
export type HistoryNews =
  /**
   * The state folder is an old copy: nothing counts until an operator confirms. `at`: the time of the newest
   * anchor, by another clock.
   */
  | {
      readonly what: 'held';
      readonly why: OldCopy['why'];
      readonly at: number;
      readonly anchorSeq: number;
      readonly seq: number;
      readonly live: number;
    }
  /** An operator confirmed it. */
  | {
      readonly what: 'trusted';
      readonly by: Actor;
      readonly ended: number;
      readonly kept: readonly GrantId[];
      readonly unknownUntil: number;
    }
  /** The state folder was empty, where there had been one. */
  | { readonly what: 'lost'; readonly at: number; readonly live: number; readonly unknownUntil: number }
  /** The homeserver has forgotten what it had taken. */
  | { readonly what: 'homeserver-restored'; readonly killing: number }
  /** The clocks disagree, or one went back. */
  | { readonly what: 'clock'; readonly why: ClockProblem }
  /**
   * An operator took this machine's clock for right. `before`: the latest time that had been seen; 0: none.
   */
  | { readonly what: 'clock-trusted'; readonly by: Actor; readonly before: number; readonly at: number };

/** What is wrong with the time. `refusing`: no token is honoured until it is settled. */
export type ClockProblem = {
  readonly kind: 'went-back' | 'disagrees' | 'far-ahead';
  readonly refusing: boolean;
  /** How far the clock of this machine is from what it is held against, in ms; positive: ahead. */
  readonly byMs: number;
};
