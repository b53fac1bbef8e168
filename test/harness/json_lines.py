"""The child's end of json-lines-process.ts: answers calls until stdin ends."""

import asyncio
import json
import logging
import sys

out = sys.stdout
# Stdout belongs to the protocol.
sys.stdout = sys.stderr
logging.disable(logging.WARNING)


def write(message):
    out.write(json.dumps(message) + "\n")
    out.flush()


def tell(event, data):
    write({"event": event, "data": data})


async def serve(handlers):
    reader = asyncio.StreamReader(limit=2**22)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def answer(call):
        try:
            result = await handlers[call["method"]](**call["params"])
            write({"id": call["id"], "result": result})
        except Exception as error:
            write({"id": call["id"], "error": f"{type(error).__name__}: {error}"})

    tasks = set()
    while line := await reader.readline():
        task = asyncio.create_task(answer(json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
