"""Reads one room with matrix-nio, given only a base URL, a user, a device and a token; prints what it saw as JSON."""

import asyncio
import json
import sys

from nio import AsyncClient, RoomMessagesResponse, SyncResponse


async def main(url: str, user: str, device: str, token: str, room: str) -> None:
    client = AsyncClient(url, user)
    client.restore_login(user, device, token)
    try:
        first = await client.sync(timeout=0, full_state=True)
        second = await client.sync(timeout=500, since=first.next_batch)
        page = await client.room_messages(room, start="", limit=20)
        print(
            json.dumps(
                {
                    "synced": isinstance(first, SyncResponse) and isinstance(second, SyncResponse),
                    "rooms": list(client.rooms),
                    "members": sorted(client.rooms[room].users) if room in client.rooms else [],
                    "read": isinstance(page, RoomMessagesResponse),
                    "bodies": [e.body for e in getattr(page, "chunk", []) if hasattr(e, "body")],
                }
            )
        )
    finally:
        await client.close()


asyncio.run(main(*sys.argv[1:]))
