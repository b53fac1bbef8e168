export { openSqliteLedger, openSqliteLedgerReadOnly } from './open.ts';
