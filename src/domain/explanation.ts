/**
 * A request somebody asks about. `target`: a path, with or without query, or a whole address. `body`: its
 * text; null: not said.
 */
export type Question = { readonly method: string; readonly target: string; readonly body: string | null };

/**
 * Whether a request with a grant's token would pass, and why. Nothing in it is a secret, nor taken from the
 * query or the body.
 */
export type Explanation = {
  /** `depends`: on what is not known here, which `why` names. */
  readonly passes: 'yes' | 'no' | 'depends';
  /** The operation of the gateway's catalogue; null: there is none. */
  readonly operation: string | null;
  /** What the gateway would answer where it does not pass; null otherwise. */
  readonly status: number | null;
  /** The capability that is missing. */
  readonly lacks: string | null;
  /** A sentence each. */
  readonly why: readonly string[];
  /** What would be asked of the homeserver; null: nothing. */
  readonly asked: string | null;
  /** What would be shown of its answer; null: nothing to say. */
  readonly shown: string | null;
};
