import { defineCommand } from '../../../bot/command.ts';
import { flag } from '../../../bot/command-description.ts';
import { parseCount } from './count.ts';
import type { Arguments } from '../../../bot/arguments.ts';
import type { AuditRow } from '../../../domain/audit.ts';
import { line, list, paragraph } from '../../../words/build.ts';
import { moment } from '../../../words/time.ts';

const DEFAULT_ROWS = 20;
const MAX_ROWS = 500;

function rowCount(args: Arguments): number {
  return parseCount('last', args.values.get('last'), DEFAULT_ROWS, MAX_ROWS);
}

/** `audit`, at the machine: the newest rows of the audit. */
export const auditCommand = defineCommand({
  name: 'audit',
  place: 'control',
  summary: 'show the newest rows of the audit',
  parameters: [],
  flags: [
    flag(
      'last',
      'value',
      'COUNT',
      `how many, at most ${String(MAX_ROWS)}; ${String(DEFAULT_ROWS)} if not said`,
    ),
  ],
  examples: ['!audit', '!audit --last 100'],
  mutates: false,
  allowedWhenExposed: true,
  needs: ['newestAuditRows'],
  async run({ newestAuditRows, now }, args) {
    const rows = await newestAuditRows(rowCount(args));
    const about = ({ grantId, subject }: AuditRow) =>
      [grantId, subject].filter((each) => each !== null).join(' ');
    return [
      paragraph([
        rows.length === 0
          ? 'The audit has no rows yet.'
          : 'The newest rows of the audit, the oldest of them first:',
      ]),
      list(
        ...rows.map(
          (row) => line`${String(row.seq)} ${moment(row.at, now)} ${row.actor}: ${row.action} ${about(row)}`,
        ),
      ),
    ];
  },
  async data({ newestAuditRows }, args) {
    const rows = await newestAuditRows(rowCount(args));
    return { rows: rows.map(({ at, ...row }) => ({ ...row, at: new Date(at).toISOString() })) };
  },
});
