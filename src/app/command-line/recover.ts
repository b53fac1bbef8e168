import { userInfo } from 'node:os';
import { loadConfig } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import type { GrantId } from '../../domain/ids.ts';
import { createLog } from '../../telemetry/log.ts';
import { confirmState, describeState } from '../recover/index.ts';
import { CONFIG_FLAG, configFile } from './config-flag.ts';
import { textOf, type CliCommand } from './command.ts';

/**
 * `mintwarden recover`: for a state that is an old copy, and a clock that is right though it does not look
 * so.
 */
export const recover: CliCommand = {
  name: 'recover',
  summary: 'go on from an old copy of the state that was brought back',
  usage: '[--confirm [--keep IDS]] [--clock] [--config FILE]',
  flags: [
    { name: 'confirm', value: null, help: 'go on from it: every grant that is live in it ends' },
    {
      name: 'keep',
      value: 'IDS',
      help: 'but for these, with commas between: you know that nobody ended them since',
    },
    { name: 'clock', value: null, help: 'the clock of this machine is right, whatever was seen before' },
    CONFIG_FLAG,
  ],
  notes: [
    'Without a flag it shows what was found and what would end, and changes nothing. For --confirm and --clock the service',
    'must be stopped. If the newer state still exists, stop the service and bring that back instead: nothing is lost then.',
    'It is written into the audit, and the control room and the people concerned are told when the service starts.',
  ],
  run: async (flags) => {
    const config = await loadConfig(configFile(flags), process.env);
    const log = createLog({ level: 'warn', pretty: true });
    const confirm = flags['confirm'] === true;
    const keep = (textOf(flags, 'keep') ?? '')
      .split(',')
      .map((id) => id.trim().toUpperCase())
      .filter((id) => id !== '');
    if (keep.length > 0 && !confirm)
      throw new MintwardenError(
        'usage',
        '--keep goes with --confirm.',
        'mintwarden recover --help shows what it takes.',
      );
    if (!confirm && flags['clock'] !== true) {
      console.log((await describeState(config, log)).join('\n'));
      return 0;
    }
    const by = `operator:${userInfo().username}` as const;
    const lines = await confirmState(config, log, {
      by,
      keep: keep as GrantId[],
      state: confirm,
      clock: flags['clock'] === true,
    });
    console.log(lines.join('\n'));
    return 0;
  },
};
