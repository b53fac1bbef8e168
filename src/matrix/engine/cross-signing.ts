import type * as wasm from '@matrix-org/matrix-sdk-crypto-wasm';
import { toOutgoingRequest, type OutgoingRequest } from './requests.ts';

/** Which private cross-signing keys are in the store. */
export interface CrossSigningStatus {
  readonly hasMaster: boolean;
  readonly hasSelfSigning: boolean;
  readonly hasUserSigning: boolean;
}

/** What a bootstrap wants sent, in this order. The last two have no id: they are not marked as sent. */
export interface CrossSigningUploads {
  /** POST /keys/upload, then `markRequestAsSent`; absent when the device's keys are there already. */
  readonly keys?: OutgoingRequest;
  /** JSON for POST /keys/device_signing/upload. */
  readonly signingKeys: string;
  /** JSON for POST /keys/signatures/upload. */
  readonly signatures: string;
}

/** The private keys, unpadded base64. Anyone who holds them can sign devices as this user. */
export interface CrossSigningSeeds {
  readonly master?: string;
  readonly selfSigning?: string;
  readonly userSigning?: string;
}

export function toStatus(status: wasm.CrossSigningStatus): CrossSigningStatus {
  const { hasMaster, hasSelfSigning, hasUserSigning } = status;
  return { hasMaster, hasSelfSigning, hasUserSigning };
}

export function toUploads(requests: wasm.CrossSigningBootstrapRequests): CrossSigningUploads {
  const keys = requests.uploadKeysRequest as wasm.KeysUploadRequest | undefined;
  return {
    ...(keys && { keys: toOutgoingRequest(keys) }),
    signingKeys: requests.uploadSigningKeysRequest.body,
    signatures: requests.uploadSignaturesRequest.body,
  };
}

export function toSeeds(exported: wasm.CrossSigningKeyExport): CrossSigningSeeds {
  const { masterKey, self_signing_key: selfSigning, userSigningKey } = exported;
  return {
    ...(masterKey !== undefined && { master: masterKey }),
    ...(selfSigning !== undefined && { selfSigning }),
    ...(userSigningKey !== undefined && { userSigning: userSigningKey }),
  };
}
