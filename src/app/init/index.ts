export { init, prepareInit, type InitOptions, type InitResult } from './init.ts';
export { planLines } from './plan.ts';
export { parseHomeserverUrl as homeserverAddress } from './preflight.ts';
export {
  loginForInit,
  inspectHomeserver as lookAtHomeserver,
  validatePublicUrl as publicAddress,
  validateAdmins as wantedAdmins,
} from './answer-validators.ts';
export { prepareUndo, type UndoOptions } from './undo.ts';
