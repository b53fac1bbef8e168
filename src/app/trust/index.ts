export { confirmIdentity, describeIdentity as shownTo } from './trust.ts';
