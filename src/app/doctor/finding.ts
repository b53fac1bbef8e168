import { CHECKS, type CheckId } from './checks.ts';

/** How bad it is. `fail`: does not work, or is dangerous. `warn`: works, but not as it should. */
export type Severity = 'ok' | 'warn' | 'fail';

/** One thing `doctor` looked at. */
export type Finding = {
  /** Fixed, so that scripts can look for it. */
  readonly id: CheckId;
  readonly severity: Severity;
  /** What was found, in a sentence. */
  readonly found: string;
  /** Why it matters; null where all is well. */
  readonly why: string | null;
  /** What to do; null where all is well. */
  readonly fix: string | null;
  /** Lines for a shell that do it, where a shell can; else null. */
  readonly command: string | null;
};

/** What to do about it, where the check's own words do not say it exactly enough. */
type Fix = { readonly fix?: string; readonly command?: string };

/** All is well. */
export function ok(id: CheckId, found: string): Finding {
  return { id, severity: 'ok', found, why: null, fix: null, command: null };
}

/** Works, but not as it should. */
export function warn(id: CheckId, found: string, fix: Fix = {}): Finding {
  return { id, severity: 'warn', found, ...reasonAndFix(id, fix) };
}

/** Does not work, or is dangerous. */
export function fail(id: CheckId, found: string, fix: Fix = {}): Finding {
  return { id, severity: 'fail', found, ...reasonAndFix(id, fix) };
}

function reasonAndFix(id: CheckId, { fix, command }: Fix): Pick<Finding, 'why' | 'fix' | 'command'> {
  return { why: CHECKS[id].why, fix: fix ?? CHECKS[id].fix, command: command ?? null };
}

/** The worst of the findings. */
export function worstOf(findings: readonly Finding[]): Severity {
  const severities = new Set(findings.map(({ severity }) => severity));
  return severities.has('fail') ? 'fail' : severities.has('warn') ? 'warn' : 'ok';
}
