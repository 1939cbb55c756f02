"""The client's side of Edgewire's delivery (docs/PROTOCOL.md), without a socket or a clock.

What comes from the server goes in by `receive`; what is for the server is then in `sends`, and what is for the application in `events`. The numbers in
comments are those of docs/PROTOCOL.md, "What a client does".
"""

import json
import re
from collections import deque
from dataclasses import dataclass, field

PROTOCOL = "edgewire.delivery.1"
LONGEST_RESUME = 3800
MOST_REFERENCES = 100
LONGEST_HEADER = MOST_REFERENCES * 42
MOST_TAGS = 64
MOST_LONG_TAGS = 256
MOST_ACKNOWLEDGED = 256

# `fullmatch` and `[0-9]`: in Python `$` matches before a line feed, and `\d` the digits of every script.
REFERENCE = re.compile(r"([0-9]{1,9})\.([0-9]{1,15})\.([0-9a-z]{1,14})")
POSITION = re.compile(r"([0-9a-z]{1,20})\.([0-9]{1,15})\.([0-9a-z]{1,14})")
SESSION = re.compile(r"[0-9A-Za-z_-]{1,64}")


class ProtocolError(Exception):
    """The server has broken the protocol: a client stays away from it."""


def parse_frame(data):
    """Returns ("control", object), ("message", payload) or ("entry", references, payload or None)."""
    if isinstance(data, str) and data.startswith("!"):
        return ("control", parse_control(data[1:]))
    header, separator, payload = data.partition(";" if isinstance(data, str) else b";")
    if len(header) > LONGEST_HEADER:
        raise ProtocolError("no frame of delivery: the header is too long")
    if isinstance(header, bytes):
        header = header.decode("latin-1")
    if header == "" and separator:
        return ("message", payload)
    matches = [REFERENCE.fullmatch(one) for one in header.split(",")]
    if None in matches or len(matches) > MOST_REFERENCES:
        raise ProtocolError("no frame of delivery")
    references = [(int(log), int(offset), tag) for log, offset, tag in (match.groups() for match in matches)]
    return ("entry", references, payload if separator else None)


def parse_control(text):
    try:
        control = json.loads(text)
    except (ValueError, RecursionError):
        control = None
    if not isinstance(control, dict):
        raise ProtocolError("no frame of delivery: a control frame is a JSON object")
    return control


def format_control(control):
    return "!" + json.dumps(control, separators=(",", ":"))


def parse_position(text):
    match = POSITION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ProtocolError(f"no position: {text!r}")
    epoch, offset, tag = match.groups()
    return epoch, int(offset), tag


@dataclass
class Cursor:
    """What the client has of one log."""

    # The number of the subscription; None for the client's own log.
    subscription: "int | None"
    topic: "str | None"
    epoch: str
    offset: int
    tag: str
    tags: deque = field(default_factory=lambda: deque(maxlen=MOST_TAGS))
    # Tags of entries that come again, because the log was rewound.
    again: frozenset = frozenset()
    # The server was told that entries are missing.
    asked: bool = False

    @property
    def position(self):
        return f"{self.epoch}.{self.offset}.{self.tag}"

    def take(self, offset, tag):
        """Moves to the entry if it is the next. Returns "next", "had" or "missing"."""
        if offset <= self.offset:
            return "had"
        if offset > self.offset + 1:
            return "missing"
        self.offset, self.tag, self.asked = offset, tag, False
        self.tags.append(tag)
        return "had" if tag in self.again else "next"

    def skip(self, epoch, offset, tag):
        """Goes on after a gap."""
        if epoch != self.epoch or offset <= self.offset:
            self.again = frozenset(self.tags)
        self.epoch, self.offset, self.tag, self.asked = epoch, offset, tag, False


class DeliveryCore:
    def __init__(self, most_messages=1000, most_bytes=2**20):
        # For the server: messages of the WebSocket.
        self.sends = deque()
        # For the application: ("message", data), ("gap", topic, why), ("acknowledged", data), ("uncertain", data), ("refused", data), ("interrupted", resumed).
        self.events = deque()
        self.is_live = False
        self._session = None
        self._life = None
        self._cursors = {}
        # The last long tags, the oldest first: a dict keeps the order.
        self._long_tags = {}
        self._most_messages = most_messages
        self._most_bytes = most_bytes
        # Not acknowledged; the first has the number `_first`.
        self._waiting = deque()
        self._bytes = 0
        self._first = 1
        # Numbers up to this one were sent in this session, and on this socket.
        self._sent = 0
        self._sent_here = 0
        self._max_in_flight = 0
        self._acknowledged = deque(maxlen=MOST_ACKNOWLEDGED)

    def offer(self, protocols=()):
        """Subprotocols for the next socket."""
        names = [f"{PROTOCOL}+{one}" for one in protocols] + [PROTOCOL]
        if self._session is None:
            return names
        resume = f"edgewire.resume.1~{self._session}.{self._first - 1}"
        for log, cursor in self._cursors.items():
            number = f"{log}" if cursor.subscription is None else f"{log}-{cursor.subscription}"
            longer = f"{resume}~{number}.{cursor.position}"
            if len(longer) > LONGEST_RESUME:
                break
            resume = longer
        return [*names, resume]

    def say(self, data):
        """Sends text or bytes, now or later. Returns False if too much waits already."""
        data = data if isinstance(data, str) else bytes(data)
        size = size_of(data)
        if len(self._waiting) >= self._most_messages or self._bytes + size > self._most_bytes:
            return False
        self._waiting.append(data)
        self._bytes += size
        self._pump()
        return True

    def lost(self):
        """The socket is lost."""
        self.is_live = False
        self.sends.clear()
        for cursor in self._cursors.values():
            cursor.asked = False

    def taken_over(self):
        """Another connection has the session, and so the socket was closed: the next one gets a session of its own."""
        self.lost()
        self._session = None
        self._cursors.clear()
        self._renumber(uncertain=self._sent - self._first + 1)

    def close(self):
        """The application closes, or it was closed for good."""
        self.lost()
        self._renumber(uncertain=self._sent - self._first + 1)
        self.events.extend(("refused", data) for data in self._take(len(self._waiting)))

    def receive(self, data):
        """A message has come. Raises ProtocolError if the server breaks the protocol."""
        kind, *frame = parse_frame(data)
        if kind == "control":
            try:
                return self._control(*frame)
            except (AttributeError, KeyError, TypeError) as error:
                raise ProtocolError(f"a control frame with a field that is missing or of the wrong kind: {error!r}") from error
        if not self.is_live:
            raise ProtocolError("a message before the welcome")
        if kind == "message":
            self.events.append(("message", *frame))
        else:
            self._entry(*frame)

    # Receiving 4 and 5.
    def _entry(self, references, payload):
        verdicts = set()
        moved = False
        ask = {}
        for log, offset, tag in references:
            cursor = self._cursors.get(log)
            if cursor is None:
                continue
            before = cursor.offset
            verdict = cursor.take(offset, tag)
            verdicts.add(verdict)
            moved = moved or cursor.offset != before
            if verdict == "missing" and not cursor.asked:
                cursor.asked = True
                ask[str(log)] = cursor.position
        if ask:
            self.sends.append(format_control({"at": ask}))
        had_elsewhere = moved and self._had_elsewhere(references[0][2])
        if "next" in verdicts and "had" not in verdicts and not had_elsewhere and payload is not None:
            self.events.append(("message", payload))

    def _had_elsewhere(self, tag):
        if len(tag) <= 7:
            return False
        if tag in self._long_tags:
            return True
        self._long_tags[tag] = True
        if len(self._long_tags) > MOST_LONG_TAGS:
            del self._long_tags[next(iter(self._long_tags))]
        return False

    def _control(self, control):
        if "welcome" in control:
            return self._welcome(control["welcome"])
        if not self.is_live:
            raise ProtocolError("a message before the welcome")
        if "log" in control:
            log = control["log"]
            epoch, offset, tag = parse_position(log.get("at"))
            # Receiving 2: it knows better if it has the log, of the same subscription.
            known = self._cursors.get(log["n"])
            if known is None or known.subscription != log.get("s"):
                self._cursors[log["n"]] = Cursor(log.get("s"), log.get("topic"), epoch, offset, tag)
        if "end" in control:
            self._cursors.pop(control["end"]["n"], None)
        if "gap" in control:
            self._gap(control["gap"])
        if "acknowledged" in control:
            if control["acknowledged"] > self._sent:
                raise ProtocolError("an acknowledgement of what was not sent")
            self._acknowledge(control["acknowledged"])
        if "mark" in control:
            self.sends.append(format_control({"mark": control["mark"]}))
        if control.get("where") is True:
            self._tell_where()
        self._pump()

    # Receiving 8.
    def _tell_where(self):
        for cursor in self._cursors.values():
            cursor.asked = False
        self.sends.append(format_control({"at": {str(log): cursor.position for log, cursor in self._cursors.items()}}))

    def _gap(self, gap):
        cursor = self._cursors.get(gap["n"])
        if cursor is not None:
            cursor.skip(*parse_position(gap["from"]))
            self.events.append(("gap", cursor.topic, gap["why"]))

    def _welcome(self, welcome):
        session, resumed, acknowledged = welcome.get("session"), welcome.get("resumed"), welcome.get("acknowledged")
        if not isinstance(session, str) or not SESSION.fullmatch(session) or not welcome.get("maxInFlight", 0) > 0:
            raise ProtocolError("a welcome without a session")
        if resumed and session != self._session:
            raise ProtocolError("another session than the one that was named")
        if self._session is None:
            acknowledged = 0
        if not resumed:
            self._cursors.clear()
        self._agree(resumed, acknowledged)
        if self._life is not None and not (resumed and self._life == welcome["life"]):
            self.events.append(("interrupted", resumed))
        self._session, self._life, self._max_in_flight = session, welcome["life"], welcome["maxInFlight"]
        self._sent_here = self._first - 1
        self.is_live = True
        self._pump()

    # Sending 3 to 5.
    def _agree(self, resumed, acknowledged):
        told = self._first - 1
        if acknowledged is not None and acknowledged <= self._sent:
            self._acknowledge(acknowledged)
        if resumed:
            return
        if acknowledged is None:
            self._renumber(uncertain=self._sent - self._first + 1)
        else:
            forgotten = max(0, told - acknowledged)
            kept = list(self._acknowledged)
            self.events.extend(("uncertain", data) for data in kept[max(0, len(kept) - forgotten) :])
            self._renumber(uncertain=0)

    def _renumber(self, uncertain):
        self.events.extend(("uncertain", data) for data in self._take(uncertain))
        self._acknowledged.clear()
        self._first, self._sent, self._sent_here = 1, 0, 0

    def _acknowledge(self, number):
        for data in self._take(number - self._first + 1):
            self._acknowledged.append(data)
            self.events.append(("acknowledged", data))

    def _take(self, count):
        taken = [self._waiting.popleft() for _ in range(max(0, count))]
        self._first += len(taken)
        self._bytes -= sum(map(size_of, taken))
        return taken

    # Sending 1.
    def _pump(self):
        while self.is_live:
            index = self._sent_here + 1 - self._first
            if index >= min(len(self._waiting), self._max_in_flight):
                return
            self._sent_here += 1
            self._sent = max(self._sent, self._sent_here)
            self.sends.append(numbered(self._sent_here, self._waiting[index]))


def numbered(number, data):
    return f"{number};{data}" if isinstance(data, str) else b"%d;%b" % (number, data)


def size_of(data):
    return len(data.encode() if isinstance(data, str) else data)
