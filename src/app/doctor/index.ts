export { CHECKS, checksInMarkdown, type CheckId, TABLE_BEGINS } from './checks.ts';
export { doctor, unreadable } from './doctor.ts';
export { type Finding, worstOf } from './finding.ts';
export { exitStatusOf, renderFindings, type Report, reportOf } from './report.ts';
