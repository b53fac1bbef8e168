export type { InitResult } from './carry-out.ts';
export { init, prepareInit } from './init.ts';
export type { InitOptions } from './state.ts';
export { planLines } from './plan-lines.ts';
export { parseHomeserverUrl } from './preflight.ts';
export { loginForInit, inspectHomeserver, validatePublicUrl, validateAdmins } from './answer-validators.ts';
export type { UndoOptions } from './undo/state.ts';
export { prepareUndo } from './undo/undo.ts';
