import { z } from 'zod';
import type { Delivery, EndCause, Grant, RoomFacts } from '../../../domain/grant.ts';
import { parseScope } from '../../../domain/stored-scope.ts';
import { type Columns, undecodableRow, oneOf, oneOfOrNull, type StoredRow } from './decode.ts';

const STATES: readonly Grant['state'][] = ['minting', 'live', 'ended', 'failed'];
const DELIVERIES: readonly Delivery[] = ['waiting', 'sent', 'cancelled'];
const CAUSES = Object.keys({
  expired: 1,
  revoked: 1,
  withdrawn: 1,
  'used-up': 1,
  'ended-by-subject': 1,
  undelivered: 1,
  untold: 1,
  'subject-gone': 1,
  'no-longer-allowed': 1,
  'lost-upstream': 1,
  'old-copy': 1,
} satisfies Record<EndCause, 1>) as readonly EndCause[];
const roomFacts = z.array(
  z.strictObject({
    roomId: z.string().transform((id) => id as RoomFacts['roomId']),
    name: z.string().nullable(),
    encrypted: z.boolean(),
  }),
);

/** A grant as columns. */
export function grantColumns(grant: Grant): Columns {
  return {
    id: grant.id,
    revision: grant.revision,
    subject: grant.subject,
    minter: grant.minter,
    recipient: grant.recipient,
    scope: JSON.stringify(grant.scope),
    rooms: JSON.stringify(grant.rooms),
    reason: grant.reason,
    ttl_ms: grant.ttlMs,
    created_at: grant.createdAt,
    expires_at: grant.expiresAt,
    state: grant.state,
    suspended: grant.suspended ? 1 : 0,
    ended_at: grant.endedAt,
    ended_by: grant.endedBy,
    end_cause: grant.endCause,
    failure: grant.failure,
    token_hash: grant.tokenHash,
    sealed_token: grant.sealedToken,
    delivery: grant.delivery,
    command: grant.command,
    next_action_at: grant.nextActionAt,
  };
}

/**
 * A grant from its row. The scope goes through `parseScope`: what it does not know makes the row void.
 * @throws MintwardenError `state` for a row that is not understood
 */
export function grantFromRow(row: StoredRow): Grant {
  try {
    return {
      id: row['id'] as Grant['id'],
      revision: row['revision'] as number,
      subject: row['subject'] as Grant['subject'],
      minter: row['minter'] as Grant['minter'],
      recipient: row['recipient'] as Grant['recipient'],
      scope: parseScope(JSON.parse(row['scope'] as string)),
      rooms: roomFacts.parse(JSON.parse(row['rooms'] as string)),
      reason: row['reason'] as string | null,
      ttlMs: row['ttl_ms'] as number,
      createdAt: row['created_at'] as number,
      expiresAt: row['expires_at'] as number,
      state: oneOf(STATES, row['state']),
      suspended: row['suspended'] !== 0,
      endedAt: row['ended_at'] as number | null,
      endedBy: row['ended_by'] as Grant['endedBy'],
      endCause: oneOfOrNull(CAUSES, row['end_cause']),
      failure: row['failure'] as string | null,
      tokenHash: row['token_hash'] as string,
      sealedToken: row['sealed_token'] as string | null,
      delivery: oneOf(DELIVERIES, row['delivery']),
      command: row['command'] as Grant['command'],
      nextActionAt: row['next_action_at'] as number | null,
    };
  } catch (error) {
    throw undecodableRow('grants', String(row['id']), error);
  }
}
