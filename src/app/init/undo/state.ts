import type { Config } from '../../../config/index.ts';
import type { Operator, UserId } from '../../../domain/ids.ts';
import type { Log } from '../../../ports/log.ts';
import type { SqliteLedger } from '../../../store/sqlite/open.ts';
import { UNDO_STAGES, type InitRecord, type Recording } from '../record.ts';
import type { HomeserverTarget } from './accounts.ts';

/** What undoing is told. */
export type UndoOptions = {
  readonly directory: string;
  readonly by: Operator;
  /** Makes everybody leave a control room that init made. */
  readonly close: boolean;
  /** Ends both accounts though it is not known that init made them. */
  readonly deactivate: boolean;
  /** Keeps no copy of the ledger. */
  readonly forget: boolean;
  /** Goes on though people cannot be told. */
  readonly untold: boolean;
  /** A server administrator's, where the issuer's is not good any more. A secret. */
  readonly adminToken: string | null;
  readonly out: (line: string) => void;
  readonly log: Log;
};

/** Everything that was found out, before anything is changed. */
export type UndoState = {
  readonly options: UndoOptions;
  readonly directory: string;
  readonly secretsDir: string;
  readonly configFile: string;
  readonly recording: Recording;
  readonly target: HomeserverTarget;
  /** Null where a run was cut off before it was written, or once it is not needed any more. */
  readonly config: Config | null;
  readonly ledger: SqliteLedger | null;
  readonly stateDir: string;
  readonly knowsMade: boolean;
  /** Where the ledger is kept. */
  readonly archive: string;
};

/** Whether the undoing has come so far before. */
export function hasReached({ record }: Pick<Recording, 'record'>, step: InitRecord['undone']): boolean {
  return UNDO_STAGES.indexOf(record.undone) >= UNDO_STAGES.indexOf(step);
}

/** Whether the account is deactivated at the end: init made it, or somebody said so. */
export function isRetired(found: UndoState, userId: UserId): boolean {
  const { recording, knowsMade, options } = found;
  return recording.record.madeAccounts.includes(userId) || (!knowsMade && options.deactivate);
}
