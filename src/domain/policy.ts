import type { UserId } from './ids.ts';
import type { Preset } from './preset.ts';

/** What the operator decided. Durations are milliseconds. */
export type Policy = {
  /** Who may give commands in the control room. */
  readonly admins: readonly UserId[];
  readonly defaultTtlMs: number;
  readonly maxTtlMs: number;
  /** Server administrators and permitted minters that may be subjects nevertheless. */
  readonly privilegedSubjects: readonly UserId[];
  /** Users that may never be subjects. */
  readonly protectedSubjects: readonly UserId[];
  readonly reasonRequired: boolean;
  /** A grant whose token nobody took ends after this. */
  readonly deliverWithinMs: number;
  /** The message with the token is redacted this long after it was sent. */
  readonly redactAfterMs: number;
  /** The longest life of one upstream token. */
  readonly leaseMs: number;
  /** Commands older than this are refused. */
  readonly commandMaxAgeMs: number;
  readonly maxLiveGrants: number;
  readonly maxLiveGrantsPerSubject: number;
  /** What `--preset` may name. */
  readonly presets: ReadonlyMap<string, Preset>;
};

/**
 * Whether policy allows tokens for a subject that has one: it may have changed since, and so may their
 * rights.
 */
export function allowsSubject(
  policy: Policy,
  subject: { readonly userId: UserId; readonly admin: boolean },
): boolean {
  const { userId, admin } = subject;
  if (policy.protectedSubjects.includes(userId)) return false;
  return policy.privilegedSubjects.includes(userId) || !(admin || policy.admins.includes(userId));
}
