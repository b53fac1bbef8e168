export { confirmState, stateShown } from './recover.ts';
