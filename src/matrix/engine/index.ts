/** The API of `@matrix-org/matrix-sdk-crypto-nodejs`, and more: see README.md. */
export {
  DeviceId,
  DeviceKeyId,
  EncryptionAlgorithm,
  HistoryVisibility,
  RequestType,
  RoomId,
  UserId,
} from '@matrix-org/matrix-sdk-crypto-wasm';
export { Attachment, EncryptedAttachment } from './attachments.ts';
export { configureEngine } from './configuration.ts';
export type { EngineSettings, Sharing, TrustLevel } from './configuration.ts';
export type { CrossSigningSeeds, CrossSigningStatus, CrossSigningUploads } from './cross-signing.ts';
export type { EncryptionInfo, SenderTrust } from './encryption-info.ts';
export { EngineError } from './errors.ts';
export type { DecryptionFailure, EngineErrorCode } from './errors.ts';
export type { DeviceSummary, IdentitySummary } from './identities.ts';
export { OlmMachine } from './olm-machine.ts';
export type { OutgoingRequest } from './requests.ts';
export { EncryptionSettings } from './sharing.ts';
export type { Signatures } from './signatures.ts';
export { DeviceLists } from './sync-changes.ts';
export { StoreType, getVersions } from './versions.ts';
