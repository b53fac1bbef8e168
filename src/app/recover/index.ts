export { confirmState, describeState } from './recover.ts';
