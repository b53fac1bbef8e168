/** One request that was answered, for those who count. Nothing in it says whose it was, or of what room. */
export type Seen = {
  /** The catalogue's name of the operation, or one of the few names for what is none. */
  readonly operation: string;
  /** 0: the connection was ended without an answer. */
  readonly status: number;
  /** The code the holder was told; null where it was no error. */
  readonly errcode: string | null;
  /** From the request's head to its answer, milliseconds. */
  readonly ms: number;
  /** How much of that the homeserver took. */
  readonly homeserverMs: number;
};
