/** One request that is over, for metrics. Nothing in it says whose it was, or about which room. */
export type RequestRecord = {
  /** The catalogue's name of the operation, or one of the few names for requests that reached none. */
  readonly operation: string;
  /** `cut`: the gateway ended the connection without an answer. `left`: the holder did, before there was one. */
  readonly outcome: 'answered' | 'cut' | 'left';
  /** Of the answer; 0 where there was none. */
  readonly status: number;
  /** The `errcode` of the response; null if it is no error. */
  readonly errcode: string | null;
  /** From the request's head to its answer, milliseconds. */
  readonly ms: number;
  /** How much of that the homeserver took; 0: it was not asked. */
  readonly homeserverMs: number;
  /** Whether the time is one of ours: not of a long-poll, a file or what was no request. */
  readonly timed: boolean;
};

/** Is called for requests. Its methods must not take time: they are called before an answer is passed on. */
export type RequestObserver = {
  /** A request is over. */
  readonly answered: (record: RequestRecord) => void;
  /** A long-poll has begun (1), or is over (-1). */
  readonly polling: (change: 1 | -1) => void;
};

/** For gateways without metrics. */
export const NO_OBSERVER: RequestObserver = { answered: () => undefined, polling: () => undefined };
