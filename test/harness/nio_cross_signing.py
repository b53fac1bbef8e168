"""Cross-signing by hand: matrix-nio has none. Client-Server API, "Cross-signing"."""

import base64

from canonicaljson import encode_canonical_json
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)


def unpadded(data):
    return base64.b64encode(data).decode().rstrip("=")


def from_unpadded(text):
    return base64.b64decode(text + "=" * (-len(text) % 4))


def signed_bytes(value):
    bare = {k: v for k, v in value.items() if k not in ("signatures", "unsigned")}
    return encode_canonical_json(bare)


class SigningKey:
    def __init__(self):
        self.private = Ed25519PrivateKey.generate()
        self.public = unpadded(self.private.public_key().public_bytes_raw())

    def sign(self, user_id, value):
        signature = unpadded(self.private.sign(signed_bytes(value)))
        value.setdefault("signatures", {}).setdefault(user_id, {})[f"ed25519:{self.public}"] = signature
        return value

    def described(self, user_id, usage):
        return {"user_id": user_id, "usage": [usage], "keys": {f"ed25519:{self.public}": self.public}}


async def cross_sign(request, user_id, device_id):
    """Makes the user's three keys and signs this device, whose keys are uploaded already."""
    master, self_signing, user_signing = SigningKey(), SigningKey(), SigningKey()
    await request(
        "POST",
        "keys/device_signing/upload",
        {
            "master_key": master.described(user_id, "master"),
            "self_signing_key": master.sign(user_id, self_signing.described(user_id, "self_signing")),
            "user_signing_key": master.sign(user_id, user_signing.described(user_id, "user_signing")),
        },
    )
    answer = await request("POST", "keys/query", {"device_keys": {user_id: [device_id]}})
    device = answer["device_keys"][user_id][device_id]
    device.pop("unsigned", None)
    uploaded = await request(
        "POST", "keys/signatures/upload", {user_id: {device_id: self_signing.sign(user_id, device)}}
    )
    if uploaded.get("failures"):
        raise RuntimeError(f"the homeserver refused the device's signature: {uploaded['failures']}")


def is_signed_by(value, user_id, public_key):
    signature = value.get("signatures", {}).get(user_id, {}).get(f"ed25519:{public_key}")
    if signature is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(from_unpadded(public_key)).verify(
            from_unpadded(signature), signed_bytes(value)
        )
        return True
    except InvalidSignature:
        return False


def the_key(value):
    return next(iter(value["keys"].values()))


async def signed_by_owner(request, user_id, curve25519):
    """Whether the device with this identity key is signed by its owner: device < self-signing < master."""
    answer = await request("POST", "keys/query", {"device_keys": {user_id: []}})
    master = answer.get("master_keys", {}).get(user_id)
    self_signing = answer.get("self_signing_keys", {}).get(user_id)
    if not master or not self_signing or not is_signed_by(self_signing, user_id, the_key(master)):
        return False
    for device_id, device in answer.get("device_keys", {}).get(user_id, {}).items():
        if device["keys"].get(f"curve25519:{device_id}") == curve25519:
            return is_signed_by(device, user_id, the_key(self_signing))
    return False
