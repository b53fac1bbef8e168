import { DatabaseSync } from 'node:sqlite';
import type { SynapseAddress } from './synapse.ts';

/** An access token that one account made to speak for another, as Synapse's own database has it. */
export interface PuppetToken {
  token: string;
  subject: string;
  validUntilMs: number | null;
}

/**
 * All puppet tokens Synapse still accepts or keeps; those that were logged out are gone from its database.
 */
export function puppetTokens(synapse: Pick<SynapseAddress, 'databasePath'>): PuppetToken[] {
  const database = new DatabaseSync(synapse.databasePath, { readOnly: true });
  try {
    const rows = database
      .prepare(
        'SELECT token, puppets_user_id AS subject, valid_until_ms AS validUntilMs FROM access_tokens WHERE puppets_user_id IS NOT NULL',
      )
      .all();
    return rows.map((row) => ({
      token: String(row['token']),
      subject: String(row['subject']),
      validUntilMs: row['validUntilMs'] === null ? null : Number(row['validUntilMs']),
    }));
  } finally {
    database.close();
  }
}

/** Those that are alive now. */
export function livePuppetTokens(synapse: Pick<SynapseAddress, 'databasePath'>): PuppetToken[] {
  return puppetTokens(synapse).filter(
    (token) => token.validUntilMs === null || token.validUntilMs > Date.now(),
  );
}
