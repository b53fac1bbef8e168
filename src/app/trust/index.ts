export { confirmIdentity, shownTo } from './trust.ts';
