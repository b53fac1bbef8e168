export { init, prepareInit, type InitOptions, type InitResult } from './init.ts';
export { planLines } from './plan.ts';
export { parseHomeserverUrl } from './preflight.ts';
export { loginForInit, inspectHomeserver, validatePublicUrl, validateAdmins } from './answer-validators.ts';
export { prepareUndo, type UndoOptions } from './undo.ts';
