export { confirmState, describeState as stateShown } from './recover.ts';
