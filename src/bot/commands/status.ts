import { type Lockdown, lockdownSentence } from '../../lifecycle/lockdown.ts';
import { status } from '../../lifecycle/report.ts';
import { code, line, list, paragraph, strong } from '../../words/build.ts';
import type { Line } from '../../words/document.ts';
import { exposure } from '../../lifecycle/incidents/control-room.ts';
import { incidentLine } from '../../words/messages/incident.ts';
import type { Services } from '../../lifecycle/services.ts';
import { lineToText } from '../../words/render.ts';
import { statusData } from '../reply-data.ts';
import type { Command } from '../command.ts';

function plural(count: number, one: string, many: string): string {
  return count === 1 ? `1 ${one}` : `${count} ${many}`;
}

function lockdownLines(held: Lockdown | null): Line[] {
  if (held === null) return [];
  return [
    held.kind === 'old-copy'
      ? line`${lockdownSentence(held)} With the service stopped: ${code('mintwarden recover')}`
      : [lockdownSentence(held)],
  ];
}

/** What was counted, and what somebody should look at. */
async function readStatus(services: Services) {
  const [now, room] = await Promise.all([status(services), services.chat.controlRoom()]);
  const exposed = exposure(room);
  const worries: Line[] = [
    ...lockdownLines(services.lockdown?.() ?? null),
    ...(exposed === null ? [] : [[exposed]]),
    ...(services.incidents?.now() ?? [])
      .filter(({ kind }) => kind !== 'control-room-exposed')
      .map(incidentLine),
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
export const statusCommand: Command = {
  name: 'status',
  place: 'control',
  summary: 'show whether all is well, and what waits',
  parameters: [],
  flags: [],
  examples: ['!status'],
  mutates: false,
  allowedWhenExposed: true,
  async run({ services }) {
    const { now, worries } = await readStatus(services);
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
  async data({ services }) {
    const { now, worries } = await readStatus(services);
    return { well: worries.length === 0, worries: worries.map(lineToText), ...statusData(now) };
  },
};
