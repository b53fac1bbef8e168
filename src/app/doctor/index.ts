export { doctor } from './doctor.ts';
export { renderFindings, type Finding } from './finding.ts';
