/** Time, handed in so that tests can own it. */
export interface Clock {
  /** Epoch milliseconds of the wall clock. */
  now(): number;
}

/** Randomness for ids and secrets: cryptographic, always. */
export interface Random {
  bytes(count: number): Uint8Array;
}
