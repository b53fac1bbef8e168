export { openSqliteLedger, openSqliteLedgerReadOnly, type SqliteLedgerOptions } from './open.ts';
export type { LedgerReader } from './queries.ts';
