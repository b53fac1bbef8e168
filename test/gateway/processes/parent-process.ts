import { OPS } from '../../lifecycle/support/homeserver.ts';
import { processesStage } from './stage.ts';

/* A bot's process that can be killed: tells its gateway processes' ids, their port and a good token. */
const stage = await processesStage(2);
stage.homeserver.answer((seen, response) => {
  if (!seen.path.endsWith('/sync')) return { name: 'Ops' };
  response.once('close', () => undefined);
  return undefined;
});
const { token } = await stage.mint();
process.send?.({ pids: stage.processes.pids, port: stage.processes.port, token, room: OPS });
process.once('SIGTERM', () => void stage[Symbol.asyncDispose]().then(() => process.exit(0)));
