/** An answer of which the lean client makes something that it must not. */
export type Finding = {
  readonly rule: string;
  readonly seed: number;
  readonly case: number;
  readonly bytes: string;
  readonly splits: readonly number[];
  readonly lean: unknown;
  readonly undici: unknown;
};

/** The bytes, split there. */
export function partsOf(bytes: Buffer, splits: readonly number[]): Buffer[] {
  return [0, ...splits].map((from, index) => bytes.subarray(from, splits[index] ?? bytes.length));
}
