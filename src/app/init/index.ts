export { init, prepareInit, type InitOptions, type InitResult } from './init.ts';
export { planLines } from './plan.ts';
export { homeserverAddress } from './preflight.ts';
export { loginForInit, lookAtHomeserver, publicAddress, wantedAdmins } from './answer-validators.ts';
export { prepareUndo, type UndoOptions } from './undo.ts';
