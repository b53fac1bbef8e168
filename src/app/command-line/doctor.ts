import { type Config, loadConfig } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { createLog } from '../../telemetry/log.ts';
import {
  doctor,
  exitStatusOf,
  type Finding,
  renderFindings,
  toReport,
  unreadableConfig,
} from '../doctor/index.ts';
import { CONFIG_FLAG, configFile } from './config-flag.ts';
import type { CliCommand } from './command.ts';

/** `mintwarden doctor`: exit status 1 where something must be fixed. */
export const doctorCommand: CliCommand = {
  name: 'doctor',
  summary: 'look for everything that can be wrong, and say how to fix it',
  usage: '[--json] [--strict] [--config FILE]',
  flags: [
    {
      name: 'json',
      value: null,
      help: 'write the findings as JSON: {"version": 1, "worst": "ok", "findings": […]}',
    },
    {
      name: 'strict',
      value: null,
      help: 'end with status 3 where nothing must be fixed, but there is something to look at',
    },
    CONFIG_FLAG,
  ],
  notes: [
    'Looks at the homeserver, both accounts and their rights and limits, the control room, the bot’s device, the ledger,',
    'the clocks, the files, and the gateway as seen from this machine. Changes nothing; runs beside the service too.',
    'Exit status: 0 nothing must be fixed, 1 something must be, 3 something is to be looked at (with --strict).',
    'docs/doctor.md lists every check.',
  ],
  run: async (flags) => {
    const findings = await findingsIn(configFile(flags));
    const text =
      flags['json'] === true ? `${JSON.stringify(toReport(findings), null, 2)}\n` : renderFindings(findings);
    process.stdout.write(text);
    return exitStatusOf(findings, flags['strict'] === true);
  },
};

async function findingsIn(file: string): Promise<readonly Finding[]> {
  let config: Config;
  try {
    config = await loadConfig(file, process.env);
  } catch (error) {
    if (error instanceof MintwardenError) return unreadableConfig(error);
    throw error;
  }
  return doctor(config, createLog({ level: 'error', pretty: true }));
}
