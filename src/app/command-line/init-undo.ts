import { userInfo } from 'node:os';
import { MintwardenError } from '../../domain/errors.ts';
import { createLog } from '../../telemetry/log.ts';
import { planLines, prepareUndo } from '../init/index.ts';
import { askYesNo, openTerminal } from './terminal.ts';
import { textOf, type Flags } from './command.ts';
import { readAdminToken } from './secret-flags.ts';

/** `mintwarden init --undo`: shows what it will do, asks, and does it. Gives the exit status. */
export async function undoInit(flags: Flags, begin: () => void, onStopped: () => void): Promise<number> {
  const directory = textOf(flags, 'dir') ?? '.';
  await using undo = await prepareUndo({
    directory,
    by: `operator:${userInfo().username}`,
    close: flags['close'] === true,
    deactivate: flags['deactivate'] === true,
    forget: flags['forget'] === true,
    untold: flags['untold'] === true,
    adminToken: await readAdminToken(flags),
    out: (line) => console.log(line),
    log: createLog({ level: 'error', pretty: true }),
  });
  if (undo === null) {
    console.log(`There is nothing of Mintwarden in ${directory}: nothing to undo.`);
    return 0;
  }
  console.log(planLines(undo.plan).join('\n'));
  if (flags['dry-run'] === true) {
    console.log('Nothing was changed (--dry-run).');
    return 0;
  }
  const decided: { deactivate?: boolean; forget?: boolean } = {};
  if (flags['yes'] !== true) {
    // What cannot be taken back is never done unasked.
    if (!process.stdin.isTTY)
      throw new MintwardenError('usage', 'Nothing was changed.', 'To do it without being asked: --yes');
    using terminal = openTerminal(onStopped);
    const names = undo.unknown.join(' and ');
    if (undo.unknown.length > 0 && flags['deactivate'] !== true)
      decided.deactivate = await askYesNo(
        terminal,
        `It is not known whether init made ${names}. Deactivate both?`,
      );
    if (!(await askYesNo(terminal, 'This cannot be taken back. Go on?'))) {
      console.log('Nothing was changed.');
      return 0;
    }
  }
  begin();
  await undo.carryOut(decided);
  return 0;
}
