import { createHmac } from 'node:crypto';

/** Long enough that no answer is ever seen twice, short enough to be no burden. */
const CHALLENGE = /^[A-Za-z0-9_-]{16,64}$/;

/** Answers a challenge; null where it is none. */
export type InstanceProver = (challenge: string) => string | null;

/**
 * Proves which Mintwarden this is to anyone with the same key, and to nobody else: `doctor` asks so whether
 * the public address leads here. Without a key there is nothing to prove.
 * @param key made for this purpose alone, in hexadecimal; see `instanceKeyOf`
 */
export function instanceProver(key: string | undefined): InstanceProver {
  if (key === undefined) return () => null;
  const bytes = Buffer.from(key, 'hex');
  return (challenge) =>
    CHALLENGE.test(challenge)
      ? createHmac('sha256', bytes).update(`mintwarden instance\0${challenge}`).digest('base64url')
      : null;
}
