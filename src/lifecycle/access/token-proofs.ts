import { timingSafeEqual } from 'node:crypto';
import type { Grant } from '../../domain/grant.ts';
import type { GrantId } from '../../domain/ids.ts';
import { grantOfToken, hashToken } from '../../domain/token.ts';

/** A presented token: the grant it names, and the hash it was proven against on this connection, if any. */
type ReadToken = { readonly grantId: GrantId; readonly provenHash: string | null };
type Proof = ReadToken & { readonly token: Buffer };

/** Reads presented tokens and proves that they are a grant's secret. Says nothing about the grant's state. */
export type TokenProofs = {
  /** Null where it cannot be one of our tokens. */
  read(token: string, connection: object | undefined): ReadToken | null;
  /** Whether the token is this grant's secret, by the hash that stands in its row now. */
  proves(
    token: string,
    read: ReadToken,
    grant: Pick<Grant, 'id' | 'tokenHash'>,
    connection: object | undefined,
  ): boolean;
};

/**
 * Remembers the last token that was proven on each connection, so that a keep-alive connection pays for the
 * check sum and SHA-256 once. The plaintext is found through its connection alone and is dropped with it. A
 * proof holds for one hash: if the grant's hash changes, the token is proven again.
 */
export function createTokenProofs(): TokenProofs {
  const proofs = new WeakMap<object, Proof>();
  return {
    read: (token, connection) => {
      const proof = connection && proofs.get(connection);
      if (proof && sameBytes(proof.token, Buffer.from(token))) return proof;
      const grantId = grantOfToken(token);
      return grantId === null ? null : { grantId, provenHash: null };
    },
    proves: (token, { grantId, provenHash }, { id, tokenHash }, connection) => {
      if (grantId !== id) return false;
      if (provenHash === tokenHash) return true;
      if (!sameHash(tokenHash, hashToken(token))) return false;
      if (connection) proofs.set(connection, { token: Buffer.from(token), grantId, provenHash: tokenHash });
      return true;
    },
  };
}

function sameBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Compares two hashes in hex. An empty one equals nothing. */
function sameHash(stored: string, presented: string): boolean {
  const bytes = Buffer.from(stored, 'hex');
  return bytes.length > 0 && sameBytes(bytes, Buffer.from(presented, 'hex'));
}
