import type { Command, CommandContext } from '../../../bot/command.ts';
import { parseCount } from './count.ts';
import type { Arguments } from '../../../bot/arguments.ts';
import type { AuditRow } from '../../../domain/audit.ts';
import { line, list, paragraph } from '../../../words/build.ts';
import { moment } from '../../../words/time.ts';

const DEFAULT_ROWS = 20;
const MAX_ROWS = 500;

async function newestRows({ services }: CommandContext, args: Arguments): Promise<readonly AuditRow[]> {
  const count = parseCount('last', args.values.get('last'), DEFAULT_ROWS, MAX_ROWS);
  const { auditRows } = await services.ledger.counts();
  return services.ledger.audit(Math.max(0, auditRows - count), count);
}

/** `audit`, at the machine: the newest rows of the audit. */
export const auditCommand: Command = {
  name: 'audit',
  place: 'control',
  summary: 'show the newest rows of the audit',
  parameters: [],
  flags: [
    {
      name: 'last',
      kind: 'value',
      placeholder: 'COUNT',
      help: `how many, at most ${String(MAX_ROWS)}; ${String(DEFAULT_ROWS)} if not said`,
      required: false,
    },
  ],
  examples: ['!audit', '!audit --last 100'],
  mutates: false,
  allowedWhenExposed: true,
  async run(context, args) {
    const rows = await newestRows(context, args);
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
          (row) =>
            line`${String(row.seq)} ${moment(row.at, context.now)} ${row.actor}: ${row.action} ${about(row)}`,
        ),
      ),
    ];
  },
  async data(context, args) {
    const rows = await newestRows(context, args);
    return { rows: rows.map(({ at, ...row }) => ({ ...row, at: new Date(at).toISOString() })) };
  },
};
