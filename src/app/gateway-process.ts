/* What a gateway process runs: started by `start.ts` where `gateway.processes` asks for it, never by hand. */
import type { Log, LogData } from '../ports/log.ts';
import { runGatewayChild } from '../gateway/processes/run-child.ts';
import { createLog, type LogLevel } from '../telemetry/log.ts';
import { numbersOf } from '../telemetry/metrics/exposition.ts';
import { gatewayMetrics } from '../telemetry/metrics/gateway-metrics.ts';
import { lineToText } from '../words/render.ts';
import { scopeSentence } from '../words/scope-sentence.ts';

process.umask(0o077);
const [level = 'info', format = 'json', watched = 'unwatched', index = '0'] = process.argv.slice(2);

/** The same log as the bot's process has, each line with the number of this one. */
function ownLog(): Log {
  const log = createLog({ level: level as LogLevel, pretty: format === 'text' || process.stderr.isTTY });
  const numbered = (data: LogData = {}): LogData => ({ ...data, process: Number(index) });
  return {
    debug: (event, data) => log.debug(event, numbered(data)),
    info: (event, data) => log.info(event, numbered(data)),
    warn: (event, data) => log.warn(event, numbered(data)),
    error: (event, data) => log.error(event, numbered(data)),
  };
}

const metrics = watched === 'watched' ? gatewayMetrics(`gateway-${index}`) : null;
runGatewayChild({
  log: ownLog(),
  sentence: (grant, now) => lineToText(scopeSentence(grant, now)),
  observe: metrics,
  metrics: async () => (metrics === null ? [] : numbersOf(metrics.registry)),
});
