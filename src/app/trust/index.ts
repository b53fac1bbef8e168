export { confirmIdentity, describeIdentity } from './trust.ts';
