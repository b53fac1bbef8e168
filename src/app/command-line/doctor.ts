import { loadConfig } from '../../config/index.ts';
import { createLog } from '../../telemetry/log.ts';
import { doctor, renderFindings } from '../doctor/index.ts';
import { CONFIG_FLAG, configFile } from './config-flag.ts';
import type { CliCommand } from './command.ts';

/** `mintwarden doctor`: exit status 1 where something must be mended. */
export const doctorCommand: CliCommand = {
  name: 'doctor',
  summary: 'look for everything that can be wrong, and say how to mend it',
  usage: '[--config FILE]',
  flags: [CONFIG_FLAG],
  notes: [
    'Looks at the homeserver, both accounts and their rights and limits, the control room, the bot’s device, the ledger,',
    'the clocks, the files, and the gateway as seen from this machine. Changes nothing; runs beside the service too.',
  ],
  run: async (flags) => {
    const config = await loadConfig(configFile(flags), process.env);
    const findings = await doctor(config, createLog({ level: 'error', pretty: true }));
    process.stdout.write(renderFindings(findings));
    return findings.some(({ severity }) => severity === 'fail') ? 1 : 0;
  },
};
