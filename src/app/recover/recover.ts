import { randomBytes } from 'node:crypto';
import { type Config, toPolicy } from '../../config/index.ts';
import type { OldCopy } from '../../domain/anchor.ts';
import { unreachable } from '../../domain/errors.ts';
import type { Actor, GrantId } from '../../domain/ids.ts';
import { oldCopyState, trustState } from '../../lifecycle/anchors/trust-state.ts';
import { trustClock } from '../../lifecycle/time/trust-clock.ts';
import type { Log } from '../../ports/log.ts';
import { openSqliteLedger, openSqliteLedgerReadOnly } from '../../store/sqlite/index.ts';
import { lineToText } from '../../words/render.ts';
import { scopeSentence } from '../../words/scope-sentence.ts';
import { utc } from '../../words/time.ts';
import { ledgerFile } from '../paths.ts';

/**
 * What an operator decides on, in lines. Changes nothing, and works beside a running service. @throws
 * MintwardenError
 */
export async function describeState(config: Config, log: Log): Promise<readonly string[]> {
  const ledger = await openSqliteLedgerReadOnly({ file: ledgerFile(config), log });
  try {
    const state = await oldCopyState(ledger, ledger.anchors);
    if (state === null)
      return [
        'This state is not held: there is nothing to confirm. Only a start of the service finds an old copy.',
      ];
    const { copy, live } = state;
    const now = Date.now();
    return [
      ...describeCopy(copy, now),
      '',
      live.length === 0 ? 'No grant is live in it.' : 'Live in it, and ended by --confirm:',
      ...live.map((grant) => `  ${grant.id}  ${grant.subject}  ${lineToText(scopeSentence(grant, now))}`),
      '',
      'If the newer state still exists, stop the service and bring that back. Otherwise stop the service and go on from this one:',
      `  mintwarden recover --confirm${live.length === 0 ? '' : '    (--keep ID,ID for those that you know nobody ended)'}`,
    ];
  } finally {
    await ledger.close();
  }
}

function describeCopy({ why, anchor, seq }: OldCopy, now: number): readonly string[] {
  const unknown = 'What was ended or made since this copy is not known here.';
  const live = `Then ${anchor.live} grants were live. ${unknown}`;
  switch (why) {
    case 'older':
      return [
        `This state is an old copy: the audit has ${seq} rows here, and had ${anchor.seq} at ${utc(anchor.at, now)}.`,
        live,
      ];
    case 'other':
      return [
        `This state is of another history than the control room holds: row ${anchor.seq} of the audit is not what it was at ${utc(anchor.at, now)}.`,
        live,
      ];
    case 'cut':
      return [
        'This state is an old copy: it knows nothing of the newest anchors in the control room, and somebody has removed what they said.',
        unknown,
      ];
    default:
      return unreachable(why);
  }
}

/**
 * Goes on from an old copy, or takes the clock for right. The service must not be running. @throws
 * MintwardenError
 */
export async function confirmState(
  config: Config,
  log: Log,
  request: {
    readonly by: Actor;
    readonly keep: readonly GrantId[];
    readonly state: boolean;
    readonly clock: boolean;
  },
): Promise<readonly string[]> {
  const ledger = await openSqliteLedger({ file: ledgerFile(config), log });
  const clock = { now: () => Date.now() };
  const random = { bytes: (count: number) => randomBytes(count) };
  const lines: string[] = [];
  try {
    if (request.clock) {
      await trustClock({ ledger, clock, random, store: ledger.anchors }, request.by);
      lines.push('The time of this machine counts from the next start on.');
    }
    if (request.state) {
      const { by, keep } = request;
      const ended = await trustState(
        { ledger, store: ledger.anchors, clock, random, log },
        { by, keep, leaseMs: toPolicy(config).leaseMs },
      );
      lines.push(
        `${ended === 1 ? '1 grant has' : `${ended} grants have`} ended; their tokens at the homeserver are logged out when the service starts. Start it now.`,
      );
    }
    return lines;
  } finally {
    await ledger.close();
  }
}
