import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../../config/index.ts';
import { fail, type Finding, ok, warn } from './finding.ts';

const MIB = 1_048_576;
/** A ledger's log may grow to some ten MiB before it is emptied. */
const FAIL_BYTES = 32 * MIB;
const WARN_BYTES = 512 * MIB;
const MIN_FREE_FILES = 200;

/** The room for the state folder, for a user without special rights. */
export async function checkDisk({ state_dir: folder }: Config): Promise<readonly Finding[]> {
  const { bavail, bsize, files, ffree } = await statfs(nearestExisting(folder));
  return [evaluateDisk({ folder, freeBytes: bavail * bsize, freeFiles: files === 0 ? null : ffree })];
}

/** @param disk `freeFiles` null: this kind of file system has no limit to them */
export function evaluateDisk(disk: {
  readonly folder: string;
  readonly freeBytes: number;
  readonly freeFiles: number | null;
}): Finding {
  const { folder, freeBytes, freeFiles } = disk;
  const free =
    freeBytes >= 10 * 1024 * MIB
      ? `${String(Math.floor(freeBytes / 1024 / MIB))} GiB`
      : `${String(Math.floor(freeBytes / MIB))} MiB`;
  if (freeBytes < FAIL_BYTES) return fail('disk-space', `Only ${free} are free for ${folder}.`);
  if (freeFiles !== null && freeFiles < MIN_FREE_FILES)
    return fail('disk-space', `Only ${String(freeFiles)} more files fit where ${folder} is.`);
  if (freeBytes < WARN_BYTES) return warn('disk-space', `${free} are free for ${folder}.`);
  return ok('disk-space', `${free} are free for ${folder}.`);
}

function nearestExisting(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : nearestExisting(dirname(folder));
}
