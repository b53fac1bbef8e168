export type { InitResult } from './carry-out.ts';
export { init, prepareInit } from './init.ts';
export type { InitOptions } from './state.ts';
export { planLines } from './plan-lines.ts';
export { parseHomeserverUrl } from './preflight.ts';
export { loginForInit, inspectHomeserver, validatePublicUrl, validateAdmins } from './answer-validators.ts';
export { prepareUndo, type UndoOptions } from './undo/undo.ts';
