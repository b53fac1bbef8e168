export { init, type InitOptions, type InitResult } from './init.ts';
