import type { Channel, Destination, Message, MessageBody } from '../../../domain/message.ts';
import { type Columns, kindOf, undecodableRow, oneOf, oneOfOrNull, type StoredRow } from './decode.ts';

const STATES: readonly Message['state'][] = ['waiting', 'accepted', 'abandoned'];
const CHANNELS: readonly Channel[] = ['encrypted', 'server-notice', 'plain'];
const DESTINATIONS: readonly Destination['kind'][] = ['control', 'dm', 'operator'];
const KINDS = Object.keys({
  minted: 1,
  'mint-failed': 1,
  notice: 1,
  token: 1,
  'ended-notice': 1,
  revoked: 1,
  'revoked-by-subject': 1,
  'ended-report': 1,
  'delivery-waiting': 1,
  'upstream-alive': 1,
  suspended: 1,
  'identity-trusted': 1,
  'policy-changed': 1,
  trouble: 1,
  history: 1,
} satisfies Record<MessageBody['kind'], 1>) as readonly MessageBody['kind'][];

/** A message as columns. */
export function messageColumns(message: Message): Columns {
  return {
    id: message.id,
    revision: message.revision,
    grant_id: message.grantId,
    destination: JSON.stringify(message.to),
    body: JSON.stringify(message.body),
    after_id: message.after,
    state: message.state,
    channel: message.channel,
    created_at: message.createdAt,
    first_tried_at: message.firstTriedAt,
    tried_by: message.triedBy,
    attempts: message.attempts,
    last_problem: message.lastProblem,
    give_up_at: message.giveUpAt,
    next_action_at: message.nextActionAt,
    room_id: message.roomId,
    event_id: message.eventId,
    accepted_at: message.acceptedAt,
    redact_at: message.redactAt,
    redacted_at: message.redactedAt,
  };
}

/**
 * A message from its row.
 * @throws MintwardenError `state` for a row that is not understood
 */
export function messageFromRow(row: StoredRow): Message {
  try {
    return {
      id: row['id'] as Message['id'],
      revision: row['revision'] as number,
      grantId: row['grant_id'] as Message['grantId'],
      to: kindOf<Destination>(DESTINATIONS, row['destination']),
      body: kindOf<MessageBody>(KINDS, row['body']),
      after: row['after_id'] as Message['after'],
      state: oneOf(STATES, row['state']),
      channel: oneOfOrNull(CHANNELS, row['channel']),
      createdAt: row['created_at'] as number,
      firstTriedAt: row['first_tried_at'] as number | null,
      triedBy: row['tried_by'] as string | null,
      attempts: row['attempts'] as number,
      lastProblem: row['last_problem'] as string | null,
      giveUpAt: row['give_up_at'] as number | null,
      nextActionAt: row['next_action_at'] as number | null,
      roomId: row['room_id'] as Message['roomId'],
      eventId: row['event_id'] as Message['eventId'],
      acceptedAt: row['accepted_at'] as number | null,
      redactAt: row['redact_at'] as number | null,
      redactedAt: row['redacted_at'] as number | null,
    };
  } catch (error) {
    throw undecodableRow('messages', String(row['id']), error);
  }
}
