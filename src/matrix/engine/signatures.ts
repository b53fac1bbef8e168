import type * as wasm from '@matrix-org/matrix-sdk-crypto-wasm';

/** The binding's shape of signatures: by key id, for one user. */
export interface Signatures {
  get(user: wasm.UserId): Record<string, { isValid: boolean; signature: wasm.Signature | undefined }>;
  asJSON(): string;
}

export function toSignatures(signatures: wasm.Signatures): Signatures {
  return {
    get: (user) =>
      Object.fromEntries(
        [...(signatures.get(user) ?? [])].map(([key, found]) => [
          key,
          { isValid: found.isValid(), signature: found.signature },
        ]),
      ),
    asJSON: () => signatures.asJSON(),
  };
}
