export { type CheckId } from './checks.ts';
export { checksInMarkdown } from './checks-table.ts';
export { doctor, unreadableConfig } from './doctor.ts';
export type { Finding } from './finding.ts';
export { exitStatusOf, renderFindings, toReport } from './report.ts';
