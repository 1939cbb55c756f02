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
MOST_KNOWN_TOPICS = 100

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
    epoch, offset, tag = POSITION.fullmatch(text).groups()
    return epoch, int(offset), tag


def is_count(value):
    return type(value) is int and 0 <= value < 2**53  # A bool is an int too.


def is_text(value):
    return isinstance(value, str)


def is_position(value):
    return is_text(value) and POSITION.fullmatch(value) is not None


# What the fields of a control frame must be. A name with "?" may be left out.
CONTROLS = {
    "welcome": {
        "session": lambda value: is_text(value) and SESSION.fullmatch(value) is not None,
        "resumed": lambda value: isinstance(value, bool),
        "acknowledged?": is_count,
        "received?": is_count,
        "life": is_text,
        "maxInFlight": lambda value: is_count(value) and value > 0,
    },
    "log": {"n": is_count, "s?": is_count, "topic?": is_text, "at": is_position},
    "end": {"n": is_count},
    "gap": {"n": is_count, "from": is_position, "why": lambda value: value in ("old", "lost")},
    "acknowledged": is_count,
    "mark": is_count,
    "where": lambda value: value is True,
}


def check(value, form):
    """Raises ProtocolError if a field is missing or of the wrong kind; unknown ones are ignored."""
    if callable(form):
        if not form(value):
            raise ProtocolError(f"a malformed control frame: {value!r}")
        return
    if not isinstance(value, dict):
        raise ProtocolError(f"a malformed control frame: {value!r}")
    for name, part in form.items():
        key = name.removesuffix("?")
        if key in value:
            check(value[key], part)
        elif key == name:
            raise ProtocolError(f"a malformed control frame: no {key}")


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
    # What the server was told: entries are "missing"; "unsure", where the client was in an earlier session. "lost": the log has lost its end since, and
    # nothing of it is taken until the gap comes.
    asked: "str | None" = None

    @property
    def position(self):
        return f"{self.epoch}.{self.offset}.{self.tag}"

    def take(self, offset, tag):
        """Moves to the entry if it is the next. Returns "next", "again", "had", "missing", or "unknown" if the position is not certain."""
        if self.asked == "lost":
            return "unknown"
        if offset > self.offset + 1:
            return "missing"
        if offset <= self.offset:
            if self.asked != "unsure":
                return "had"
            if offset == self.offset and tag != self.tag:
                self.asked = "lost"
            return "unknown"
        self.offset, self.tag, self.asked = offset, tag, None
        self.tags.append(tag)
        return "again" if tag in self.again else "next"

    def skip(self, epoch, offset, tag, why):
        """Goes on after a gap. Returns False if the client has what is gone."""
        is_back = epoch == self.epoch and offset <= self.offset
        if is_back and why == "old":
            return False
        if is_back or epoch != self.epoch:
            self.again = frozenset(self.tags)
        self.epoch, self.offset, self.tag, self.asked = epoch, offset, tag, None
        return True


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
        # By topic: cursors of earlier sessions, the oldest first.
        self._known = {}
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
            cursor.asked = None

    def taken_over(self):
        """Another connection has the session, and so the socket was closed: the next one gets a session of its own."""
        self.lost()
        self._session = None

    def close(self):
        """The application closes, or it was closed for good."""
        self.lost()
        self._renumber(uncertain=self._sent - self._first + 1)
        self._tell("refused", self._take(len(self._waiting)))

    def receive(self, data):
        """A message has come. Raises ProtocolError if the server breaks the protocol."""
        kind, *frame = parse_frame(data)
        if kind == "control":
            for name in CONTROLS.keys() & frame[0].keys():
                check(frame[0][name], CONTROLS[name])
            return self._control(*frame)
        if not self.is_live:
            raise ProtocolError("a message before the welcome")
        if kind == "message":
            self.events.append(("message", *frame))
        else:
            self._entry(*frame)

    # Receiving 4 and 5.
    def _entry(self, references, payload):
        verdicts = set()
        ask = {}
        for log, offset, tag in references:
            cursor = self._cursors.get(log)
            if cursor is None:
                continue
            verdict = cursor.take(offset, tag)
            verdicts.add(verdict)
            if verdict == "missing" and cursor.asked is None:
                cursor.asked = "missing"
                ask[str(log)] = cursor.position
        if ask:
            self.sends.append(format_control({"at": ask}))
        had_elsewhere = verdicts & {"next", "again"} and self._had_elsewhere(references[0][2])
        if "next" in verdicts and not verdicts & {"again", "had"} and not had_elsewhere and payload is not None:
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
            self._begin(**{name: control["log"].get(name) for name in ("n", "s", "topic", "at")})
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
        if "where" in control:
            self._tell_where()
        self._pump()

    # Receiving 2 and 3.
    def _begin(self, n, s, topic, at):
        cursor = self._cursors.get(n)
        if cursor is not None and cursor.subscription == s:
            return
        epoch, offset, tag = parse_position(at)
        known = self._known.pop(topic, None)
        if known is None:
            self._cursors[n] = Cursor(s, topic, epoch, offset, tag)
            return
        known.subscription = s
        self._cursors[n] = known
        if (known.epoch, known.offset, known.tag) == (epoch, offset, tag):
            return
        if known.epoch == epoch and known.offset > offset:
            known.asked = "unsure"
            self.sends.append(format_control({"at": {str(n): known.position}}))
            return
        why = "old" if known.epoch == epoch and known.offset < offset else "lost"
        known.skip(epoch, offset, tag, why)
        self.events.append(("gap", topic, why))

    # Receiving 1.
    def _renew(self):
        for cursor in self._cursors.values():
            if cursor.topic is not None:
                self._known[cursor.topic] = cursor
        self._cursors.clear()
        for topic in list(self._known)[:-MOST_KNOWN_TOPICS]:
            del self._known[topic]

    # Receiving 8.
    def _tell_where(self):
        for cursor in self._cursors.values():
            cursor.asked = None
        self.sends.append(format_control({"at": {str(log): cursor.position for log, cursor in self._cursors.items()}}))

    # Receiving 6.
    def _gap(self, gap):
        cursor = self._cursors.get(gap["n"])
        if cursor is not None and cursor.skip(*parse_position(gap["from"]), gap["why"]):
            self.events.append(("gap", cursor.topic, gap["why"]))

    def _welcome(self, welcome):
        session, resumed, life = welcome["session"], welcome["resumed"], welcome["life"]
        if resumed and session != self._session:
            raise ProtocolError("another session than the one that was named")
        acknowledged = None if self._session is None else welcome.get("acknowledged")
        if resumed:
            self._resume(acknowledged or 0, welcome.get("received", 0), welcome["maxInFlight"])
        else:
            self._renew()
            self._start_over(acknowledged)
        if self._life is not None and not (resumed and self._life == life):
            self.events.append(("interrupted", resumed))
        self._session, self._life, self._max_in_flight = session, life, welcome["maxInFlight"]
        self._sent_here = self._first - 1
        self.is_live = True
        self._pump()

    # Sending 3: another client of the session may have sent more.
    def _resume(self, acknowledged, received, most):
        self._acknowledge(min(acknowledged, self._sent))
        if acknowledged > self._sent:
            self._first, self._sent = acknowledged + 1, acknowledged
        used = max(0, min(received, self._first - 1 + most) - self._sent)
        index = self._sent - self._first + 1
        waiting = list(self._waiting)
        # None: a number for which there is no message.
        self._waiting = deque([*waiting[:index], *[None] * used, *waiting[index:]])
        self._sent += used

    # Sending 4 and 5.
    def _start_over(self, acknowledged):
        told = self._first - 1
        if acknowledged is None:
            return self._renumber(uncertain=self._sent - told)
        self._acknowledge(min(acknowledged, self._sent))
        forgotten = max(0, told - acknowledged)
        kept = list(self._acknowledged)
        self._tell("uncertain", kept[max(0, len(kept) - forgotten) :])
        self._renumber(uncertain=0)

    def _renumber(self, uncertain):
        self._tell("uncertain", self._take(uncertain))
        self._waiting = deque(data for data in self._waiting if data is not None)
        self._acknowledged.clear()
        self._first, self._sent, self._sent_here = 1, 0, 0

    def _acknowledge(self, number):
        taken = self._take(number - self._first + 1)
        self._acknowledged.extend(taken)
        self._tell("acknowledged", taken)

    def _tell(self, kind, messages):
        self.events.extend((kind, data) for data in messages if data is not None)

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
    if data is None:
        return str(number)
    return f"{number};{data}" if isinstance(data, str) else b"%d;%b" % (number, data)


def size_of(data):
    if data is None:
        return 0
    return len(data.encode() if isinstance(data, str) else data)
