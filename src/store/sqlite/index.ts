export { openSqliteLedger, openSqliteLedgerReadOnly } from './open.ts';
export { type Inspection, inspectLedger } from './inspect.ts';
