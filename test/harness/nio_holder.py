"""matrix-nio as a holder of a scoped token uses it, driven by JSON lines. Run by holder-nio.ts."""

import asyncio
import base64
import io
import os

from nio import AsyncClient, ErrorResponse, RoomMessageText, SyncError, SyncResponse

from json_lines import serve, tell


def good(response):
    if isinstance(response, ErrorResponse):
        raise RuntimeError(str(response))
    return response


class Holder:
    def __init__(self):
        self.nio = None
        self.texts = {}
        self.loop = None

    async def open(self, baseUrl, token, userId):
        self.nio = AsyncClient(baseUrl, userId)
        # What its documentation says for those who have a token and no password.
        self.nio.access_token = token
        self.nio.user_id = userId

    async def start(self):
        first = asyncio.Event()

        async def synced(_response):
            first.set()

        async def failed(response):
            if response.status_code == "M_UNKNOWN_TOKEN":
                tell("ended", str(response))

        self.nio.add_event_callback(self.on_message, RoomMessageText)
        self.nio.add_response_callback(synced, SyncResponse)
        self.nio.add_response_callback(failed, SyncError)
        self.loop = asyncio.create_task(self.nio.sync_forever(timeout=20000, full_state=True))
        waiting = asyncio.create_task(first.wait())
        await asyncio.wait({waiting, self.loop}, return_when=asyncio.FIRST_COMPLETED)
        if self.loop.done():
            await self.loop

    async def on_message(self, room, event):
        self.texts.setdefault(room.room_id, []).append(event.body)

    async def rooms(self):
        return good(await self.nio.joined_rooms()).rooms

    async def join(self, roomId):
        good(await self.nio.join(roomId))

    async def name_of(self, roomId):
        return self.nio.rooms[roomId].display_name

    async def members(self, roomId):
        return [member.user_id for member in good(await self.nio.joined_members(roomId)).members]

    async def heard(self, roomId):
        return self.texts.get(roomId, [])

    async def history(self, roomId):
        page = good(await self.nio.room_messages(roomId, limit=50))
        return [event.body for event in page.chunk if hasattr(event, "body")]

    async def send(self, roomId, type, content):
        return good(await self.nio.room_send(roomId, type, content)).event_id

    async def say(self, roomId, text):
        return await self.send(roomId, "m.room.message", {"msgtype": "m.text", "body": text})

    async def reply(self, roomId, eventId, text):
        relation = {"m.in_reply_to": {"event_id": eventId}}
        return await self.send(roomId, "m.room.message", {"msgtype": "m.text", "body": text, "m.relates_to": relation})

    async def react(self, roomId, eventId, key):
        relation = {"rel_type": "m.annotation", "event_id": eventId, "key": key}
        return await self.send(roomId, "m.reaction", {"m.relates_to": relation})

    async def edit(self, roomId, eventId, text):
        content = {
            "msgtype": "m.text",
            "body": f"* {text}",
            "m.new_content": {"msgtype": "m.text", "body": text},
            "m.relates_to": {"rel_type": "m.replace", "event_id": eventId},
        }
        return await self.send(roomId, "m.room.message", content)

    async def redact(self, roomId, eventId):
        good(await self.nio.room_redact(roomId, eventId))

    async def upload(self, encoded, type):
        data = base64.b64decode(encoded)
        response, _keys = await self.nio.upload(io.BytesIO(data), type, "picture.png", filesize=len(data))
        return good(response).content_uri

    async def download(self, mxc):
        return base64.b64encode(good(await self.nio.download(mxc)).body).decode()

    async def typing(self, roomId):
        good(await self.nio.room_typing(roomId, True, 2000))

    async def mark_read(self, roomId, eventId):
        good(await self.nio.room_read_markers(roomId, eventId, eventId))


async def main():
    holder = Holder()
    names = "open start rooms join name_of members heard history say reply react edit redact upload download typing mark_read"
    await serve({name: getattr(holder, name) for name in names.split()})
    os._exit(0)


asyncio.run(main())
