import { type Lockdown, lockdownSentence } from '../../lifecycle/lockdown.ts';
import { code, line, list, paragraph, strong } from '../../words/build.ts';
import type { Line } from '../../words/document.ts';
import { incidentLine } from '../../words/messages/incident.ts';
import { lineToText } from '../../words/render.ts';
import { statusData } from '../reply-data.ts';
import type { Capabilities } from '../capabilities.ts';
import { defineCommand } from '../command.ts';

function plural(count: number, one: string, many: string): string {
  return count === 1 ? `1 ${one}` : `${count} ${many}`;
}

function lockdownLines(lockdown: Lockdown | null): Line[] {
  if (lockdown === null) return [];
  return [
    lockdown.kind === 'old-copy'
      ? line`${lockdownSentence(lockdown)} With the service stopped: ${code('mintwarden recover')}`
      : [lockdownSentence(lockdown)],
  ];
}

/** What was counted, and what somebody should look at. */
async function readOverview({ readStatus, readProblems }: Pick<Capabilities, 'readStatus' | 'readProblems'>) {
  const [now, { lockdown, exposed, incidents }] = await Promise.all([readStatus(), readProblems()]);
  const worries: Line[] = [
    ...lockdownLines(lockdown),
    ...(exposed === null ? [] : [[exposed]]),
    ...incidents.filter(({ kind }) => kind !== 'control-room-exposed').map(incidentLine),
    ...(now.unkillable === 0
      ? []
      : [
          [
            `${plural(now.unkillable, 'token at the homeserver', 'tokens at the homeserver')} could not be logged out: look why it refuses.`,
          ],
        ]),
    ...(now.orphans === 0
      ? []
      : [
          [
            `${plural(now.orphans, 'token', 'tokens')} may be alive at the homeserver in nobody’s hands; each ends by itself.`,
          ],
        ]),
    ...(now.counts.unreadable === 0
      ? []
      : [
          [
            `${plural(now.counts.unreadable, 'row', 'rows')} of the ledger cannot be read: an operator looks with ‘mintwarden doctor’.`,
          ],
        ]),
  ];
  return { now, worries };
}

/** `!status`: whether all is well, and what waits. */
export const statusCommand = defineCommand({
  name: 'status',
  place: 'control',
  summary: 'show whether all is well, and what waits',
  parameters: [],
  flags: [],
  examples: ['!status'],
  mutates: false,
  allowedWhenExposed: true,
  needs: ['readStatus', 'readProblems'],
  async run(context) {
    const { now, worries } = await readOverview(context);
    return [
      paragraph([strong(worries.length === 0 ? 'Nothing needs looking at.' : 'Something needs looking at.')]),
      list(
        ...worries,
        line`${plural(now.counts.live, 'live grant', 'live grants')}: ${code('!list')}`,
        [
          `Waiting: ${plural(now.messagesWaiting, 'message', 'messages')} to send, ${plural(now.killing, 'token', 'tokens')} to log out`,
        ],
        [
          `Audit: ${plural(now.counts.auditRows, 'row', 'rows')}, the newest ${now.counts.auditHead.slice(0, 12)}`,
        ],
      ),
    ];
  },
  async data(context) {
    const { now, worries } = await readOverview(context);
    return { well: worries.length === 0, worries: worries.map(lineToText), ...statusData(now) };
  },
});
