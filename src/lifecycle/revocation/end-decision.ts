import type { AuditAction } from '../../domain/audit.ts';
import { type Change, type CommandKey, eventOf } from '../../domain/change.ts';
import { markEnded, type EndCause, type Grant } from '../../domain/grant.ts';
import type { Actor } from '../../domain/ids.ts';
import type { Lease } from '../../domain/lease.ts';
import type { Message } from '../../domain/message.ts';
import { grantAudit } from '../rows/audit-event.ts';
import { killingLease } from '../rows/lease-row.ts';
import { abandonMessage, reviseMessage, newMessage, REPORT_LIFE_MS } from '../rows/message-row.ts';
import type { NewIds } from '../rows/new-id.ts';

/**
 * A send that was under way when the grant ended gets this long to come to an end before the room is
 * searched.
 */
const SETTLE_MS = 60_000;

/**
 * Why and by whom a grant ends, and who asked: `control` and `subject` are answered where they asked,
 * `nobody` is a report.
 */
export type EndRequest = {
  readonly cause: EndCause;
  readonly by: Actor;
  readonly asked: 'control' | 'subject' | 'nobody';
  readonly command: CommandKey | null;
};

/** The rows an ending looks at. */
export type EndFacts = {
  readonly grant: Grant;
  readonly leases: readonly Lease[];
  readonly messages: readonly Message[];
};

/**
 * Everything the end of a grant writes, in one change: the grant, its upstream tokens on their way out, its
 * token message stopped or redacted, the subject told if they were told of its beginning, and the answer.
 * The grant must not be over.
 */
export function decideEnd(facts: EndFacts, ending: EndRequest, now: number, ids: NewIds): Change {
  const { grant, leases, messages } = facts;
  const killing = leases.filter((lease) => lease.state === 'alive').map((lease) => killingLease(lease, now));
  const upstream =
    killing.length > 0 || leases.some((lease) => lease.state === 'asking' || lease.state === 'killing')
      ? 'killing'
      : 'dead';
  return {
    at: now,
    ...(ending.command === null ? {} : { command: ending.command }),
    grants: [markEnded(grant, ending.cause, ending.by, now)],
    leases: killing,
    messages: [
      ...stopped(messages, ending, now),
      ...told(facts, ending, now, ids),
      ...answers(grant, upstream, ending, now, ids),
    ],
    audit: [
      grantAudit(
        grant,
        auditAction(ending.cause),
        ending.by,
        now,
        { cause: ending.cause, upstream },
        ending.command?.eventId ?? null,
      ),
    ],
  };
}

function auditAction(cause: EndCause): AuditAction {
  if (cause === 'expired') return 'expired';
  return cause === 'revoked' || cause === 'ended-by-subject' ? 'revoked' : 'ended';
}

function stopped(messages: readonly Message[], ending: EndRequest, now: number): Message[] {
  return messages.flatMap((message) => {
    const tried = message.firstTriedAt !== null;
    const { kind } = message.body;
    if (kind === 'token') return stoppedToken(message, tried, now);
    if (message.state !== 'waiting') return [];
    if (kind === 'delivery-waiting') return tried ? [] : [abandonMessage(message)];
    if (kind !== 'notice') return [];
    // A notice that may have arrived is sent to its end, so that it stands in the room once and its own end
    // can follow it.
    const goesOn = tried && ending.cause !== 'untold' && ending.cause !== 'subject-gone';
    return [goesOn ? reviseMessage(message, { giveUpAt: now + REPORT_LIFE_MS }) : abandonMessage(message)];
  });
}

/** A token not yet sent never is; one that was, or may have been, is redacted now. */
function stoppedToken(message: Message, tried: boolean, now: number): Message[] {
  if (message.state === 'waiting') {
    return [
      tried
        ? reviseMessage(message, {
            state: 'abandoned',
            redactAt: now,
            attempts: 0,
            nextActionAt: now + SETTLE_MS,
          })
        : abandonMessage(message),
    ];
  }
  if (message.state !== 'accepted' || message.redactedAt !== null) return [];
  return [reviseMessage(message, { redactAt: now, attempts: 0, nextActionAt: now })];
}

/** The subject hears of the end if they heard, or may have heard, of the beginning. */
function told(facts: EndFacts, ending: EndRequest, now: number, ids: NewIds): Message[] {
  const { grant } = facts;
  const notice = facts.messages.find((message) => message.body.kind === 'notice');
  if (notice === undefined || ending.asked === 'subject' || ending.cause === 'subject-gone') return [];
  const may = notice.state === 'accepted' || notice.firstTriedAt !== null;
  if (!may) return [];
  const after = notice.state === 'waiting' && ending.cause !== 'untold' ? notice.id : null;
  const body = { kind: 'ended-notice', cause: ending.cause, by: ending.by } as const;
  return [
    newMessage({
      id: ids.message(),
      grantId: grant.id,
      to: { kind: 'dm', userId: grant.subject, replyTo: null },
      body,
      at: now,
      after,
    }),
  ];
}

function answers(
  grant: Grant,
  upstream: 'killing' | 'dead',
  ending: EndRequest,
  now: number,
  ids: NewIds,
): Message[] {
  const made: Message[] = [];
  const add = (to: Message['to'], body: Message['body']) =>
    made.push(newMessage({ id: ids.message(), grantId: grant.id, to, body, at: now }));
  const replyTo = eventOf(ending.command?.eventId ?? null);
  if (grant.state === 'minting') {
    const sentence = 'The grant was ended before the homeserver had answered.';
    add(
      { kind: 'control', replyTo: eventOf(grant.command) },
      { kind: 'mint-failed', sentence, next: null, orphanUntil: null },
    );
  }
  if (ending.asked === 'control' && replyTo !== null) {
    add({ kind: 'control', replyTo }, { kind: 'revoked', upstream });
    return made;
  }
  if (ending.asked === 'subject')
    add({ kind: 'dm', userId: grant.subject, replyTo }, { kind: 'revoked-by-subject' });
  add({ kind: 'control', replyTo: null }, { kind: 'ended-report', cause: ending.cause, by: ending.by });
  return made;
}
