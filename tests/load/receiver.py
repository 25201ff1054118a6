"""What the webhooks of every design arrive at: an HTTP server that does next to nothing, in a process of its own.

    python -m tests.load.receiver PORT

`POST` a message about a live event; `GET /count` says how many came, `GET /times` when the first about each event did,
in seconds of the machine's monotonic clock. `GET` anything else forgets them all.
"""

import asyncio
import json
import sys
import time


class _Arrivals:
    def __init__(self) -> None:
        self.count = 0
        self.times: dict[str, float] = {}

    def take(self, body: bytes) -> None:
        self.count += 1
        now = time.monotonic()
        data = json.loads(body)["data"]
        self.times.setdefault(str(data["because"]["anchor"]["id"]), now)

    def answer(self, head: bytes) -> bytes:
        if b"/count" in head:
            return str(self.count).encode()
        if b"/times" in head:
            return json.dumps(self.times).encode()
        self.count = 0
        self.times.clear()
        return b""


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, arrivals: _Arrivals) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            body, answer = b"", b""
            for line in head.split(b"\r\n"):
                if line[:15].lower() == b"content-length:":
                    body = await reader.readexactly(int(line[15:]))
            if head.startswith(b"POST"):
                arrivals.take(body)
            else:
                answer = arrivals.answer(head)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _main(port: int) -> None:
    arrivals = _Arrivals()
    server = await asyncio.start_server(
        lambda reader, writer: _serve(reader, writer, arrivals), "127.0.0.1", port, backlog=1024
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
