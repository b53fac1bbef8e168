"""A matrix-nio client in a process of its own, driven by JSON lines. Run by nio-client.ts."""

import asyncio
import os
import sys
import tempfile
import time

import aiohttp
from nio import (
    AsyncClient,
    AsyncClientConfig,
    BadEvent,
    EncryptionError,
    Event,
    InviteMemberEvent,
    KeysUploadError,
    LoginResponse,
    MegolmEvent,
    RedactedEvent,
    RedactionEvent,
    RoomSendResponse,
    SyncResponse,
    UnknownBadEvent,
)

from json_lines import serve, tell
from nio_cross_signing import cross_sign, signed_by_owner

# How long a sync may take to tell of a new room, and of its encryption.
UNKNOWN_ROOM_S = 10
PLAIN_ROOM_S = 1


class Client:
    def __init__(self):
        self.nio = None
        self.http = None
        self.store = tempfile.TemporaryDirectory(prefix="mintwarden-nio-")
        self.members = {}
        self.undecrypted = {}
        self.told = {}
        self.signed = set()

    async def request(self, method, path, body=None):
        url = f"{self.nio.homeserver}/_matrix/client/v3/{path}"
        headers = {"Authorization": f"Bearer {self.nio.access_token}"}
        async with self.http.request(method, url, json=body, headers=headers) as answer:
            content = await answer.json()
            if answer.status != 200:
                raise RuntimeError(f"{method} {path}: {answer.status} {content.get('errcode')}")
            return content

    async def login(self, baseUrl, userId, password, crossSigned):
        self.http = aiohttp.ClientSession()
        config = AsyncClientConfig(encryption_enabled=True, store_sync_tokens=False)
        self.nio = AsyncClient(baseUrl, userId, store_path=self.store.name, config=config)
        answer = await self.nio.login(password, device_name="matrix-nio of the test harness")
        if not isinstance(answer, LoginResponse):
            raise RuntimeError(f"the login was refused: {answer}")
        if isinstance(uploaded := await self.nio.keys_upload(), KeysUploadError):
            raise RuntimeError(f"the device's keys were refused: {uploaded}")
        if crossSigned:
            await cross_sign(self.request, userId, self.nio.device_id)
        for kind in (Event, BadEvent, UnknownBadEvent):
            self.nio.add_event_callback(self.on_event, kind)
        self.nio.add_event_callback(self.on_invite, InviteMemberEvent)
        self.nio.add_response_callback(self.on_sync, SyncResponse)
        first = asyncio.Event()
        self.first_sync = first
        self.loop = asyncio.create_task(self.sync())
        await first.wait()
        return {"deviceId": self.nio.device_id, "accessToken": self.nio.access_token}

    async def sync(self):
        try:
            await self.nio.sync_forever(timeout=20000, full_state=True)
        except Exception as error:
            print(f"the sync loop broke: {error!r}", file=sys.stderr)
            os._exit(1)

    async def send(self, roomId, type, content):
        began = time.monotonic()
        while (room := self.nio.rooms.get(roomId)) is None or not room.encrypted:
            if time.monotonic() - began > (UNKNOWN_ROOM_S if room is None else PLAIN_ROOM_S):
                raise RuntimeError(f"the room {roomId} is not encrypted, or not known to this client")
            await asyncio.sleep(0.02)
        answer = await self.nio.room_send(roomId, type, content, ignore_unverified_devices=True)
        if not isinstance(answer, RoomSendResponse):
            raise RuntimeError(f"the message was refused: {answer}")
        return answer.event_id

    async def on_event(self, room, event):
        if isinstance(event, MegolmEvent):
            self.undecrypted[event.event_id] = (room, event)
        if isinstance(event, RedactionEvent) and (target := self.told.get(event.redacts)):
            tell("timeline", {**target, "content": {}, "redacted": True})
        await self.show(room, event)

    async def show(self, room, event):
        source = event.source
        failed = isinstance(event, MegolmEvent)
        decrypted = bool(getattr(event, "decrypted", False))
        shown = {
            "eventId": source["event_id"],
            "roomId": room.room_id,
            "sender": source["sender"],
            "atMs": source["origin_server_ts"],
            "type": source["type"],
            "content": {} if failed else source.get("content", {}),
            "stateKey": source.get("state_key"),
            "wasEncrypted": failed or decrypted,
            "undecryptable": "no room key" if failed else None,
            "shield": None,
            "signedByOwner": await self.owner_signed(event) if decrypted else None,
            "verified": bool(event.verified) if decrypted else None,
            "redacted": isinstance(event, RedactedEvent) or "redacted_because" in source.get("unsigned", {}),
            "sessionId": getattr(event, "session_id", None),
        }
        self.told[shown["eventId"]] = shown
        tell("timeline", shown)

    async def owner_signed(self, event):
        device = (event.sender, event.sender_key)
        if device not in self.signed and await signed_by_owner(self.request, *device):
            self.signed.add(device)
        return device in self.signed

    async def on_invite(self, room, event):
        if event.state_key != self.nio.user_id or event.membership != "invite":
            return
        tell(
            "invite",
            {
                "roomId": room.room_id,
                "inviter": event.sender,
                "reason": event.content.get("reason"),
                "isDirect": bool(event.content.get("is_direct")),
            },
        )

    async def on_sync(self, _response):
        now = {}
        for room_id, room in self.nio.rooms.items():
            for user_id in room.users:
                now[(room_id, user_id)] = "invite" if user_id in room.invited_users else "join"
        for (room_id, user_id), membership in now.items():
            if self.members.get((room_id, user_id)) != membership:
                tell("member", {"roomId": room_id, "userId": user_id, "membership": membership})
        for room_id, user_id in self.members.keys() - now.keys():
            tell("member", {"roomId": room_id, "userId": user_id, "membership": "leave"})
        self.members = now
        for event_id, (room, event) in list(self.undecrypted.items()):
            try:
                decrypted = self.nio.decrypt_event(event)
            except EncryptionError:
                continue
            del self.undecrypted[event_id]
            await self.show(room, decrypted)
        self.first_sync.set()


async def main():
    client = Client()
    handlers = {"login": client.login, "send": client.send}
    await serve(handlers)
    client.store.cleanup()
    os._exit(0)


asyncio.run(main())
