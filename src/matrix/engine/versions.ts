import { getVersions as wasmVersions } from '@matrix-org/matrix-sdk-crypto-wasm';

/** What matrix-bot-sdk wants named; there is one kind of store here. */
export const StoreType = { Sqlite: 0 } as const;
export type StoreType = (typeof StoreType)[keyof typeof StoreType];

/** The versions of the Rust crates inside. */
export function getVersions(): { vodozemac: string; matrixSdkCrypto: string } {
  const versions = wasmVersions();
  return { vodozemac: versions.vodozemac, matrixSdkCrypto: versions.matrix_sdk_crypto };
}
