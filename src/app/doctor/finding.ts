/** One thing `doctor` looked at. */
export type Finding = {
  /** Fixed, so that scripts can look for it. */
  readonly id: string;
  readonly severity: 'ok' | 'warn' | 'fail';
  /** What was found, in a sentence. */
  readonly found: string;
  /** Why it matters; null where all is well. */
  readonly why: string | null;
  /** What to do; null where all is well. */
  readonly mend: string | null;
};

/** All is well. */
export function ok(id: string, found: string): Finding {
  return { id, severity: 'ok', found, why: null, mend: null };
}

/** Works, but not as it should. */
export function warn(id: string, found: string, why: string, mend: string): Finding {
  return { id, severity: 'warn', found, why, mend };
}

/** Does not work, or is dangerous. */
export function fail(id: string, found: string, why: string, mend: string): Finding {
  return { id, severity: 'fail', found, why, mend };
}

/** Findings for a terminal: a line each, what is wrong with its reason and its mend, and a count at the end. */
export function renderFindings(findings: readonly Finding[]): string {
  const marks = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' } as const;
  const lines = findings.flatMap(({ severity, id, found, why, mend }) => [
    `${marks[severity]}  ${id.padEnd(18)} ${found}`,
    ...(why === null ? [] : [`${' '.repeat(25)}${why}`]),
    ...(mend === null ? [] : [`${' '.repeat(25)}→ ${mend}`]),
  ]);
  const count = (severity: Finding['severity']): number => findings.filter((finding) => finding.severity === severity).length;
  const bad = count('fail');
  const summary = bad > 0 ? `${String(bad)} must be mended` : 'Nothing must be mended';
  return `${lines.join('\n')}\n\n${summary}; ${String(count('warn'))} to look at; ${String(count('ok'))} well.\n`;
}
