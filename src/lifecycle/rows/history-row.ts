import type { AuditEvent } from '../../domain/audit.ts';
import type { HistoryNews } from '../../domain/history-news.ts';
import type { Message } from '../../domain/message.ts';
import type { Random } from '../../ports/clock.ts';
import { newMessage } from './message-row.ts';
import { newIds } from './new-id.ts';

/** News to the control room about the whole. */
export function historyMessage(news: HistoryNews, at: number, random: Random): Message {
  return newMessage({
    id: newIds(random).message(),
    grantId: null,
    to: { kind: 'control', replyTo: null },
    body: { kind: 'history', news },
    at,
  });
}

/** An audit event about the whole. */
export function historyAudit(
  action: AuditEvent['action'],
  actor: AuditEvent['actor'],
  at: number,
  data: AuditEvent['data'],
): AuditEvent {
  return { at, actor, action, grantId: null, subject: null, command: null, data };
}
