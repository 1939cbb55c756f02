"""A client with delivery over asyncio, with Debian's python3-websockets (10.4): it comes back by itself, and misses nothing.

    async with DeliveryClient("wss://example.com/lobby") as client:
        await client.send("hello")
        async for event in client:
            print(event)

Events are those of core.py, and ("open",) for each connection; the last one is ("closed", reason). It is also an example for other languages.
"""

import asyncio
import random
import re

import websockets
from core import PROTOCOL, DeliveryCore, ProtocolError

PING = "edgewire.ping.9f3a41c7"
PONG = "edgewire.pong.9f3a41c7"
FINAL_CODES = {1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003}
TAKEN_OVER = (1008, "another connection has the session")
# Events that wait for the application. While there are more nothing is read, so no mark goes back, and the server stops.
MOST_EVENTS = 1000
# What a faulty network makes of a handshake or a connection. A handshake that is refused is tried again too.
FAILURES = (OSError, EOFError, TimeoutError, websockets.WebSocketException)


class Final(Exception):
    """Coming back would end the same way."""


class DeliveryClient:
    def __init__(
        self,
        url,
        protocols=(),
        *,
        first_delay=1.0,
        max_delay=30.0,
        connect_timeout=10.0,
        heartbeat=30.0,
        heartbeat_timeout=10.0,
        # Waits begin afresh after a connection that lasted so long.
        stable_after=5.0,
        # The library's default, 1 MiB, is less than the largest message and its header. It closes with 1009, and the same entry would come again.
        max_size=2**24,
    ):
        self._url = url
        self._protocols = protocols
        self._delays = (first_delay, max_delay)
        self._connect_timeout = connect_timeout
        self._heartbeat = heartbeat
        # Each ping is answered: so long a silence is the end.
        self._silence = heartbeat + heartbeat_timeout
        self._stable_after = stable_after
        self._max_size = max_size
        self._core = DeliveryCore()
        self._socket = None
        self._sending = asyncio.Lock()
        self._changed = asyncio.Condition()
        self._task = None
        self._closing = False
        self._ended = False
        # The application's own subprotocol, once the server has selected it; "" for none.
        self.protocol = ""

    async def __aenter__(self):
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_):
        await self.close()

    def __aiter__(self):
        return self

    async def __anext__(self):
        events = self._core.events
        async with self._changed:
            await self._changed.wait_for(lambda: events or self._ended)
            if not events:
                raise StopAsyncIteration
            self._changed.notify_all()
            return events.popleft()

    async def send(self, data):
        """Text or bytes: it arrives once, or the event "uncertain" or "refused" tells. Returns False if too much waits, or it is closed."""
        if self._ended or not self._core.say(data):
            return False
        try:
            await self._flush()
        except FAILURES:
            pass  # The connection is lost, which the reader sees as well: it is sent again on the next.
        return True

    async def close(self):
        """Ends the session. What was not acknowledged is told by the events that are left."""
        self._closing = True
        self._task.cancel()
        await asyncio.wait([self._task])
        # A task that had not begun ends without a trace.
        self._end("closed by the application")
        await self._notify()

    def _end(self, reason):
        if not self._ended:
            self._ended = True
            self._core.close()
            self._core.events.append(("closed", reason))

    async def _run(self):
        reason = "closed by the application"
        try:
            await self._stay_connected()
        except (Final, websockets.InvalidURI) as final:
            reason = str(final)
        finally:
            self._end(reason)
            await self._notify()

    async def _stay_connected(self):
        failures = 0
        clock = asyncio.get_running_loop().time
        while not self._closing:
            began = clock()
            code, reason = await self._attempt()
            was_stable = self._core.is_live and clock() - began >= self._stable_after
            failures = 0 if was_stable else failures + 1
            if (code, reason) == TAKEN_OVER:
                self._core.taken_over()
            elif code in FINAL_CODES:
                raise Final(f"{code} {reason}".strip())
            else:
                self._core.lost()
            await self._notify()
            await asyncio.sleep(self._delay(failures, reason))

    async def _attempt(self):
        """Returns with which close code and reason it ended."""
        try:
            await self._connection()
        except websockets.InvalidURI:
            raise
        except websockets.ConnectionClosed as closed:
            return end_of(closed)
        except FAILURES:
            return None, ""

    def _delay(self, failures, reason):
        """Exponential backoff with full jitter, and what a closing server asks for: "retry in N ms"."""
        first, most = self._delays
        asked = re.fullmatch(r"retry in ([0-9]{1,9}) ms", reason)
        earliest = min(int(asked[1]) / 1000, most - first) if asked else 0
        return earliest + random.random() * min(most - earliest, first * 2 ** min(max(failures - 1, 0), 30))

    async def _connection(self):
        """One connection, until it ends. The library's own pings are off: its pongs wait behind messages that nobody reads."""
        offer = self._core.offer(self._protocols)
        options = {"open_timeout": self._connect_timeout, "close_timeout": 1, "ping_interval": None, "max_size": self._max_size}
        async with websockets.connect(self._url, subprotocols=offer, **options) as socket:
            selected, _, self.protocol = (socket.subprotocol or "").partition("+")
            if selected != PROTOCOL:
                raise Final("the server has no delivery")
            self._socket = socket
            try:
                await self._take(await self._receive(socket, self._connect_timeout))
                self._core.events.append(("open",))
                await self._read(socket)
            except TimeoutError:
                # The library would close with 1000, which ends the session if it arrives after all.
                await socket.close(1001)
                raise
            except ProtocolError as error:
                await socket.close(4002, "delivery")
                raise Final(f"the server broke the protocol of delivery: {error}") from error
            finally:
                self._socket = None

    async def _read(self, socket):
        pings = asyncio.create_task(self._ping(socket))
        try:
            while True:
                data = await self._receive(socket, self._silence)
                if data != PONG:
                    await self._take(data)
        finally:
            pings.cancel()

    async def _receive(self, socket, seconds):
        # Not `wait_for`: before Python 3.12 it may swallow the cancellation by `close`.
        async with asyncio.timeout(seconds):
            return await socket.recv()

    async def _take(self, data):
        self._core.receive(data)
        async with asyncio.timeout(self._silence):
            await self._flush()
        async with self._changed:
            self._changed.notify_all()
            await self._changed.wait_for(lambda: len(self._core.events) < MOST_EVENTS)

    async def _flush(self):
        """Sends what is to be sent. The lock keeps the order."""
        async with self._sending:
            while self._socket is not None and self._core.sends:
                await self._socket.send(self._core.sends.popleft())

    async def _ping(self, socket):
        """A text message: an object that hibernates is not woken by it. Also while the application reads nothing, or the server would give it up."""
        try:
            while True:
                await socket.send(PING)
                await asyncio.sleep(self._heartbeat)
        except websockets.ConnectionClosed:
            pass  # The reader sees it too.

    async def _notify(self):
        async with self._changed:
            self._changed.notify_all()


def end_of(closed):
    """Code and reason of the server's close frame, or of our own if the library found a broken or too large message. (None, "") if the network failed."""
    frame = closed.rcvd or closed.sent
    return (frame.code, frame.reason) if frame else (None, "")
