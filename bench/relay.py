#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""bench/relay.py LISTEN:PORT TO:PORT MILLISECONDS: passes TCP connections on, each byte that long after it came, in both directions.

For kernels without netem. What is under way is bounded, so that a slow receiver is felt by the sender."""
import asyncio
import sys

UNDER_WAY_MAX = 8 << 20


async def pass_on(reader, writer, delay):
    loop = asyncio.get_running_loop()
    queue, room, size = asyncio.Queue(), asyncio.Event(), 0

    async def write():
        nonlocal size
        while True:
            due, data = await queue.get()
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            if not data:
                writer.close()
                return
            writer.write(data)
            await writer.drain()
            size -= len(data)
            room.set()

    task = asyncio.create_task(write())
    try:
        while data := await reader.read(65536):
            size += len(data)
            await queue.put((loop.time() + delay, data))
            while size > UNDER_WAY_MAX:
                room.clear()
                await room.wait()
    except OSError:
        pass
    await queue.put((loop.time() + delay, b""))
    try:
        await task
    except OSError:
        writer.close()


async def main():
    listen, to, milliseconds = sys.argv[1:4]
    host, port = to.rsplit(":", 1)

    async def accept(reader, writer):
        there, here = await asyncio.open_connection(host, int(port))
        delay = float(milliseconds) / 1000
        await asyncio.gather(pass_on(reader, here, delay), pass_on(there, writer, delay))

    address, number = listen.rsplit(":", 1)
    server = await asyncio.start_server(accept, address, int(number))
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
