/**
 * A child process for the crash tests: opens the ledger named by its argument and commits without end,
 * printing a number after each commit that resolved. Ends by kill -9 alone.
 */
import { writeSync } from 'node:fs';
import { markLive } from '../../../src/domain/grant.ts';
import { openSqliteLedger } from '../../../src/store/sqlite/index.ts';
import {
  NOON,
  sampleAudit,
  sampleCommand,
  sampleGrant,
  sampleLease,
  sampleMessage,
} from '../../contract/sample.ts';
import { keptLog } from '../scratch.ts';

const [file = '', start = '0'] = process.argv.slice(2);
const ledger = await openSqliteLedger({ file, log: keptLog() });
writeSync(1, 'open\n');
for (let n = Number(start); ; n++) {
  const grant = sampleGrant({ id: `G${n}`, sealedToken: `sealed ${n}` });
  await ledger.commit({
    at: NOON,
    command: sampleCommand(`$${n}`, 'session', n),
    grants: [grant, { ...markLive(grant), sealedToken: n % 3 === 0 ? null : grant.sealedToken }],
    leases: [sampleLease({ id: `l${n}`, grantId: grant.id })],
    messages: [sampleMessage({ id: `m${n}`, grantId: grant.id })],
    audit: [sampleAudit({ data: { n } }), sampleAudit({ action: 'minted', data: { n } })],
  });
  writeSync(1, `${n}\n`);
}
