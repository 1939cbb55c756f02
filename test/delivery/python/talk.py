"""Clients for tests. Argument: JSON of `url`, `clients` (how many), `protocols` and `options`. Stdin: a line `[client, "send", data]` or `[client, "close"]`
each. Stdout: a line `[client, event…]` for each event, and `[client, "sent", whether]`. Bytes are `{"$bytes": hex}`."""

import asyncio
import json
import sys

from client import DeliveryClient


def data_of(written):
    return written if isinstance(written, str) else bytes.fromhex(written["$bytes"])


def tell(index, *event):
    written = [{"$bytes": part.hex()} if isinstance(part, bytes) else part for part in event]
    print(json.dumps([index, *written]), flush=True)


async def listen(index, client):
    async for event in client:
        tell(index, *event)


async def obey(clients, lines):
    while line := await lines.readline():
        index, command, *data = json.loads(line)
        if command == "close":
            await clients[index].close()
        else:
            tell(index, "sent", await clients[index].send(data_of(*data)))


async def main(url, clients, protocols=(), options=None):
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    made = [DeliveryClient(url, protocols, **(options or {})) for _ in range(clients)]
    for client in made:
        await client.__aenter__()
    listening = [asyncio.create_task(listen(index, client)) for index, client in enumerate(made)]
    await obey(made, lines)
    for client in made:
        await client.close()
    await asyncio.gather(*listening)


asyncio.run(main(**json.loads(sys.argv[1])))
