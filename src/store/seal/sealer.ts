import { createCipheriv, createDecipheriv } from 'node:crypto';
import { MintwardenError } from '../../domain/errors.ts';
import type { Sealer } from '../../ports/sealer.ts';

/** A key of 32 bytes and the short name that stands in what it sealed. The name is no secret. */
export type SealingKey = { readonly id: string; readonly key: Uint8Array };

/** See `createSealer`. */
export type SealerOptions = {
  /**
   * The first one seals, all of them open: a new key goes in front, the old one stays until nothing needs it.
   */
  readonly keys: readonly SealingKey[];
  readonly randomBytes: (count: number) => Uint8Array;
};

const VERSION = 'v1';
const KEY_BYTES = 32;
/** NIST SP 800-38D: 96 random bits are good for 2^32 seals under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;

function refuse(sentence: string, next: string): never {
  throw new MintwardenError('state', sentence, next);
}

/**
 * What a seal is bound to beside its key. Neither version nor key id has a dot, so two rows never share one.
 */
function boundTo(keyId: string, row: string): Buffer {
  return Buffer.from(`${VERSION}.${keyId}.${row}`);
}

/**
 * A sealer by AES-256-GCM. A sealed value reads `v1.<key id>.<nonce>.<ciphertext and tag>` in base64url and
 * opens under its key and row alone.
 * @throws MintwardenError `state` for no key at all, a key of another length, or two of one name
 */
export function createSealer({ keys, randomBytes }: SealerOptions): Sealer {
  const [first] = keys;
  if (first === undefined)
    refuse('There is no key to seal secrets with.', 'Give the sealing key file in the configuration.');
  const byId = new Map(keys.map((key) => [key.id, key]));
  if (byId.size !== keys.length)
    refuse('Two sealing keys have the same name.', 'Give each sealing key once.');
  for (const { id, key } of keys) {
    if (!KEY_ID.test(id))
      refuse('A sealing key has a name that cannot be used.', 'Name it by letters, digits, - and _.');
    if (key.byteLength !== KEY_BYTES)
      refuse(`The sealing key ${id} is not 32 bytes long.`, 'Restore the key file from a backup.');
  }

  return {
    seal: (row, secret) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', first.key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(boundTo(first.id, row));
      const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return [VERSION, first.id, Buffer.from(nonce).toString('base64url'), sealed.toString('base64url')].join(
        '.',
      );
    },

    open: (row, sealed) => {
      const [version, keyId = '', nonceText = '', sealedText = '', ...rest] = sealed.split('.');
      const nonce = Buffer.from(nonceText, 'base64url');
      const body = Buffer.from(sealedText, 'base64url');
      const isOurs =
        version === VERSION && rest.length === 0 && nonce.length === NONCE_BYTES && body.length >= TAG_BYTES;
      if (!isOurs)
        refuse(`The sealed secret of ${row} is damaged.`, 'Restore the state folder from a backup.');
      const key = byId.get(keyId);
      if (key === undefined) {
        refuse(
          `The secret of ${row} was sealed with another key than the ones given.`,
          'Put the earlier key file back.',
        );
      }
      try {
        const decipher = createDecipheriv('aes-256-gcm', key.key, nonce, { authTagLength: TAG_BYTES });
        decipher.setAAD(boundTo(keyId, row));
        decipher.setAuthTag(body.subarray(-TAG_BYTES));
        return Buffer.concat([decipher.update(body.subarray(0, -TAG_BYTES)), decipher.final()]).toString(
          'utf8',
        );
      } catch {
        // The cause is left out on purpose: it says nothing more, and stays far from the secret.
        return refuse(
          `The sealed secret of ${row} does not open: it was changed, moved from another row, or its key was.`,
          'Restore the state folder and the key file from the same backup.',
        );
      }
    },
  };
}
