export { type CheckId, checksInMarkdown } from './checks.ts';
export { doctor, unreadable } from './doctor.ts';
export type { Finding } from './finding.ts';
export { exitStatusOf, renderFindings, reportOf } from './report.ts';
