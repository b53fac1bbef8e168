/** What is said of a check, whatever it finds. */
export type Check = {
  /** What is looked at. */
  readonly what: string;
  /** Why it matters. */
  readonly why: string;
  /** How to fix it, where a finding does not say more exactly. */
  readonly fix: string;
};
