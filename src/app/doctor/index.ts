export { type CheckId, checksInMarkdown } from './checks.ts';
export { doctor, unreadableConfig } from './doctor.ts';
export type { Finding } from './finding.ts';
export { exitStatusOf, renderFindings, toReport } from './report.ts';
