import { loadConfig } from '../../config/index.ts';
import { createLog } from '../../telemetry/log.ts';
import { startApp } from '../start.ts';
import { CONFIG_FLAG, configFile } from './config-flag.ts';
import type { CliCommand } from './command.ts';

/** `mintwarden start`: runs until SIGTERM or SIGINT; a second one ends it at once. */
export const start: CliCommand = {
  name: 'start',
  summary: 'run the bot and the gateway',
  usage: '[--config FILE]',
  flags: [CONFIG_FLAG],
  notes: [
    'Logs go to stderr, for people where that is a terminal. SIGTERM or Ctrl-C ends it in order, a second one at once; nothing is lost either way.',
  ],
  run: async (flags) => {
    const config = await loadConfig(configFile(flags), process.env);
    const log = createLog({ level: config.log.level, pretty: config.log.format === 'text' || process.stderr.isTTY });
    const ending = new AbortController();
    const wished = Promise.withResolvers<void>();
    const onSignal = (name: string): void => {
      if (ending.signal.aborted) process.exit(1);
      log.info('ending', { signal: name });
      ending.abort();
      wished.resolve();
    };
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, onSignal);
    try {
      const app = await startApp(config, log, ending.signal);
      await wished.promise;
      await app.stop();
    } catch (error) {
      if (!ending.signal.aborted) throw error;
    }
    log.info('ended');
    return 0;
  },
};
