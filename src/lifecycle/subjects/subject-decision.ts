import type { Change, ExcludedRoom } from '../../domain/change.ts';
import { markSuspended, type Grant } from '../../domain/grant.ts';
import type { SubjectFacts } from '../../ports/directory.ts';
import { grantAudit } from '../rows/audit-event.ts';
import { newMessage } from '../rows/message-row.ts';
import type { NewIds } from '../rows/new-id.ts';

/** Whether there is nobody left for the grant to speak for. */
export function isGone(facts: SubjectFacts | null): boolean {
  return facts === null || facts.deactivated;
}

/** What a look at a live grant's subject changes, short of its end; null where nothing. */
export function decideSubjectSeen(
  grant: Grant,
  facts: SubjectFacts,
  excluded: readonly ExcludedRoom[],
  now: number,
  ids: NewIds,
): Change | null {
  const turns = grant.state === 'live' && grant.suspended !== facts.locked;
  const { noticesRoom } = facts;
  const isNew = noticesRoom !== null && !excluded.some((room) => room.roomId === noticesRoom);
  if (!turns && !isNew) return null;
  const action = facts.locked ? 'suspended' : 'resumed';
  const body = { kind: 'suspended', on: facts.locked } as const;
  return {
    at: now,
    grants: turns ? [markSuspended(grant, facts.locked)] : [],
    messages: turns
      ? [
          newMessage({
            id: ids.message(),
            grantId: grant.id,
            to: { kind: 'control', replyTo: null },
            body,
            at: now,
          }),
        ]
      : [],
    excluded: isNew ? [{ roomId: noticesRoom, why: 'server-notices', userId: facts.userId }] : [],
    audit: [
      ...(turns ? [grantAudit(grant, action, 'system', now)] : []),
      ...(isNew
        ? [grantAudit(grant, 'room-excluded', 'system', now, { room: noticesRoom, why: 'server-notices' })]
        : []),
    ],
  };
}
