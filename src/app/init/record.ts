import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { MintwardenError } from '../../domain/errors.ts';
import { parseRoomId, parseUserId, type RoomId, type UserId } from '../../domain/ids.ts';
import { writePrivate } from '../private-files.ts';

/** How far an undoing has come: each is reached only after everything before it. */
export const UNDO_STAGES = [
  'nothing',
  'ended',
  'told',
  'left',
  'bot-gone',
  'issuer-going',
  'accounts-gone',
  'archived',
] as const;

const userId = z
  .string()
  .refine((text) => parseUserId(text) !== null)
  .transform((text) => text as UserId);
const roomId = z
  .string()
  .refine((text) => parseRoomId(text) !== null)
  .transform((text) => text as RoomId);
const schema = z.strictObject({
  version: z.literal(1),
  homeserverUrl: z.string(),
  serverName: z.string(),
  bot: userId,
  issuer: userId,
  /**
   * Written before the homeserver is asked: an account is ours only where our password or token opens it too.
   */
  madeAccounts: z.array(userId),
  liftedLimits: z.array(userId),
  controlRoom: roomId.nullable(),
  madeRoom: z.boolean(),
  undone: z.enum(UNDO_STAGES),
  /** By which the last message to the control room is known again. */
  farewell: z.string().nullable(),
});

/**
 * What `init` made rather than found, so that undoing it takes away nothing else. Holds no secret.
 */
export type InitRecord = z.output<typeof schema>;

/** Where it is kept: not in the state folder, which may be lost while the accounts are still there. */
export function recordFile(directory: string): string {
  return join(directory, 'secrets', 'init.json');
}

/** Null where there is none. @throws MintwardenError `state` for one that cannot be understood */
export async function readRecord(directory: string): Promise<InitRecord | null> {
  const file = recordFile(directory);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    const next = 'Check who may read it, or name another folder with --dir.';
    throw new MintwardenError('state', `${file} cannot be read (${error.code ?? 'no reason given'}).`, next, {
      cause: error,
    });
  });
  if (text === null) return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const next = 'Restore it, or move it away: init then takes no account and no room for one that it made.';
    throw new MintwardenError('state', `${file} is not what init wrote.`, next, { cause: error });
  }
}

/** Writes it whole or not at all. */
export async function writeRecord(directory: string, record: InitRecord): Promise<void> {
  await writePrivate(recordFile(directory), `${JSON.stringify(record, null, 2)}\n`);
}

/** The record of a set-up in the making: each change is on the disk when it resolves. */
export type Recording = {
  readonly record: InitRecord;
  change(part: Partial<InitRecord>): Promise<void>;
};

/** Goes on with the record in the folder; null: an earlier set-up has none, and gets none. */
export async function openRecording(
  directory: string,
  beginning: Omit<InitRecord, 'version' | 'undone'> | null,
): Promise<Recording | null> {
  const kept = await readRecord(directory);
  if (kept === null && beginning === null) return null;
  let record = kept ?? {
    version: 1,
    undone: 'nothing',
    ...(beginning as Omit<InitRecord, 'version' | 'undone'>),
  };
  return {
    get record() {
      return record;
    },
    change: async (part) => {
      const next = { ...record, ...part };
      if (kept !== null && JSON.stringify(next) === JSON.stringify(record)) return;
      record = next;
      await writeRecord(directory, record);
    },
  };
}
