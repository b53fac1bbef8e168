import { loadConfig } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import type { Log } from '../../ports/log.ts';
import { createLog } from '../../telemetry/log.ts';
import { type App, startApp } from '../start/start-app.ts';
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
    'SIGHUP reads the policy again (admins and policy in the configuration): whole, or where anything is wrong not at all.',
  ],
  run: async (flags) => {
    const config = await loadConfig(configFile(flags), process.env);
    const log = createLog({
      level: config.log.level,
      pretty: config.log.format === 'text' || process.stderr.isTTY,
    });
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
      const onHangup = (): void => void reload(app, log);
      process.on('SIGHUP', onHangup);
      await wished.promise;
      process.off('SIGHUP', onHangup);
      await app.stop();
    } catch (error) {
      if (!ending.signal.aborted) throw error;
    }
    log.info('ended');
    return 0;
  },
};

/** On SIGHUP. What is wrong with the file is for the log: the sender of the signal reads no answer. */
async function reload(app: App, log: Log): Promise<void> {
  try {
    const { changes, afterRestart } = await app.reload('operator:SIGHUP');
    log.info('policy read again', {
      changed: changes.map(({ key }) => key).join(' '),
      afterRestart: afterRestart.join(' '),
    });
  } catch (error) {
    log.error('policy not changed', {
      problem: error instanceof MintwardenError ? error.message : 'unexpected',
    });
  }
}
