import {
  DeviceKeyAlgorithmName,
  OwnUserIdentity,
  type Device,
  type OtherUserIdentity,
} from '@matrix-org/matrix-sdk-crypto-wasm';

/** A user's device, as last learned from the homeserver. */
export interface DeviceSummary {
  readonly userId: string;
  readonly deviceId: string;
  readonly displayName: string | undefined;
  readonly ed25519Key: string | undefined;
  readonly curve25519Key: string | undefined;
  readonly isCrossSignedByOwner: boolean;
  readonly isDehydrated: boolean;
  readonly isDeleted: boolean;
}

/** A user's cross-signing identity, as last learned from the homeserver. Keys are unpadded base64. */
export interface IdentitySummary {
  readonly userId: string;
  readonly masterKey: string;
  readonly isOwn: boolean;
  readonly isVerified: boolean;
  /** The master key is another than the one first seen or last pinned. */
  readonly needsUserApproval: boolean;
  readonly hasVerificationViolation: boolean;
}

export function summarizeDevice(device: Device): DeviceSummary {
  const key = (name: DeviceKeyAlgorithmName): string | undefined => device.getKey(name)?.toBase64();
  return {
    userId: device.userId.toString(),
    deviceId: device.deviceId.toString(),
    displayName: device.displayName,
    ed25519Key: key(DeviceKeyAlgorithmName.Ed25519),
    curve25519Key: key(DeviceKeyAlgorithmName.Curve25519),
    isCrossSignedByOwner: device.isCrossSignedByOwner(),
    isDehydrated: device.isDehydrated,
    isDeleted: device.isDeleted(),
  };
}

export function summarizeIdentity(
  userId: string,
  identity: OwnUserIdentity | OtherUserIdentity,
): IdentitySummary {
  const isOwn = identity instanceof OwnUserIdentity;
  return {
    userId,
    masterKey: onlyKey(identity.masterKey),
    isOwn,
    isVerified: identity.isVerified(),
    needsUserApproval: isOwn ? false : identity.identityNeedsUserApproval(),
    hasVerificationViolation: identity.hasVerificationViolation(),
  };
}

/**
 * A cross-signing key object (JSON) holds one key; its name repeats it. Source: Client-Server API,
 * Cross-signing.
 */
function onlyKey(crossSigningKey: string): string {
  const { keys } = JSON.parse(crossSigningKey) as { keys: Record<string, string> };
  return Object.values(keys)[0] ?? '';
}
