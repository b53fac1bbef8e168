import * as wasm from '@matrix-org/matrix-sdk-crypto-wasm';
import { RequestType } from '@matrix-org/matrix-sdk-crypto-wasm';

/** A request to the homeserver. `body` is JSON; `eventType` and `txnId` are set for to-device requests. */
export interface OutgoingRequest {
  readonly id: string;
  readonly type: RequestType;
  readonly body: string;
  readonly eventType?: string;
  readonly txnId?: string;
}

type WasmRequest =
  | wasm.KeysUploadRequest
  | wasm.KeysQueryRequest
  | wasm.KeysClaimRequest
  | wasm.ToDeviceRequest
  | wasm.SignatureUploadRequest
  | wasm.RoomMessageRequest
  | wasm.KeysBackupRequest;

/**
 * The WASM's request in the binding's shape, in which the body of a to-device request repeats its type and
 * id.
 */
export function toOutgoingRequest(request: WasmRequest): OutgoingRequest {
  const { id, type, body } = request as { id?: string; type: RequestType; body: string };
  if (!(request instanceof wasm.ToDeviceRequest)) return { id: id ?? '', type, body };
  const { event_type: eventType, txn_id: txnId } = request;
  const merged = { ...(JSON.parse(body) as object), event_type: eventType, txn_id: txnId };
  return { id: id ?? txnId, type, body: JSON.stringify(merged), eventType, txnId };
}

/** What matrix-bot-sdk 0.8.0 would stop at, though it is due. */
export function isSignatureUpload(request: OutgoingRequest): boolean {
  return request.type === RequestType.SignatureUpload;
}

/** What matrix-bot-sdk 0.8.0 can send; it throws at any other. */
export function isSentBySdk(request: OutgoingRequest): boolean {
  return request.type <= RequestType.ToDevice;
}
