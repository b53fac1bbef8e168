export { init, type InitOptions } from './init.ts';
