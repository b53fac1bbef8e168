import { type Finding, type Severity, worstOf } from './finding.ts';

/**
 * What `doctor --json` writes. Fields are added to it; none is taken away or changes its meaning, or
 * `version` counts up. Checks come and go with versions of Mintwarden: look for them by their ids.
 */
export type Report = {
  readonly version: 1;
  readonly worst: Severity;
  readonly findings: readonly ReportedFinding[];
};

/** A finding under the names that scripts rely on. */
type ReportedFinding = Omit<Finding, 'fix'> & { readonly mend: string | null };

/** See `Report`. */
export function toReport(findings: readonly Finding[]): Report {
  const plain = findings.map(({ id, severity, found, why, fix, command }) => ({
    id,
    severity,
    found,
    why,
    mend: fix,
    command,
  }));
  return { version: 1, worst: worstOf(findings), findings: plain };
}

/**
 * 0: nothing must be fixed. 1: something must be. 3: `strict` was said, and there is something to look at.
 * (2 is: not understood.)
 */
export function exitStatusOf(findings: readonly Finding[], strict: boolean): 0 | 1 | 3 {
  const worst = worstOf(findings);
  if (worst === 'fail') return 1;
  return worst === 'warn' && strict ? 3 : 0;
}

const COLUMN = 33;

/**
 * Findings for a terminal: a line each, what is wrong with its reason and how to fix it, and a count at the end.
 */
export function renderFindings(findings: readonly Finding[]): string {
  const marks = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' } as const;
  const below = (text: string): string => `${' '.repeat(COLUMN)}${text}`;
  const lines = findings.flatMap(({ severity, id, found, why, fix, command }) => [
    `${marks[severity]}  ${id.padEnd(COLUMN - 7)} ${found}`,
    ...(why === null ? [] : [below(why)]),
    ...(fix === null ? [] : [below(`→ ${fix}`)]),
    ...(command === null ? [] : command.split('\n').map((line) => below(`  ${line}`))),
  ]);
  const count = (severity: Severity): number =>
    findings.filter((finding) => finding.severity === severity).length;
  const bad = count('fail');
  const summary = bad > 0 ? `${String(bad)} must be fixed` : 'Nothing must be fixed';
  return `${lines.join('\n')}\n\n${summary}; ${String(count('warn'))} to look at; ${String(count('ok'))} well.\n`;
}
