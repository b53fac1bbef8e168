import { startGateway } from '../../../src/gateway/server.ts';
import { grantDesk } from '../../gateway/support/grant-desk.ts';
import { accessOf, OPS } from '../../gateway/support/grants.ts';
import { memoryTransactions } from '../../gateway/support/memory-transactions.ts';
import { silentLog } from '../../support/silent-log.ts';

// A gateway with one token that opens every file, and uploads: node media-process.ts HOMESERVER-URL
const TOKEN = 'mwt_7F3K9Q_bench';
const desk = grantDesk('syt_bench');
desk.add(TOKEN, accessOf([OPS], { scope: { v: 1, rooms: [OPS], can: ['media-any', 'upload'] } }));
const gateway = await startGateway({
  listen: { host: '127.0.0.1', port: 0 },
  homeserverUrl: process.argv[2] ?? '',
  publicUrl: 'http://127.0.0.1',
  accessControl: desk,
  sentence: () => 'a sentence',
  onFiltersDiffer: () => undefined,
  transactions: memoryTransactions(),
  clock: { now: () => Date.now() },
  log: silentLog,
});
process.once('disconnect', () => process.exit());
process.send?.({ port: gateway.port, token: TOKEN });
