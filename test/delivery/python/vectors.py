"""Runs sessions of docs/vectors.json through the core. Stdin: JSON of the part `delivery`. Stdout: for each frame, bad frame and step what came of it."""

import json
import sys

from core import DeliveryCore, ProtocolError, format_control, parse_frame


def data_of(written):
    if isinstance(written, str):
        return written
    return bytes.fromhex(written["$bytes"]) if "$bytes" in written else format_control(written)


def written_of(data):
    return {"$bytes": data.hex()} if isinstance(data, bytes) else data


def sent_of(data):
    return json.loads(data[1:]) if isinstance(data, str) and data.startswith("!") else written_of(data)


def given_of(event):
    kind, *values = event
    if kind == "interrupted":
        return {"interrupted": {"resumed": values[0]}}
    if kind == "gap":
        topic, why = values
        return {"gap": {**({} if topic is None else {"topic": topic}), "why": why}}
    return {kind: written_of(*values)}


def parsed(wire):
    """The frame, as it stands in the vectors; None if it is none."""
    try:
        kind, *parts = parse_frame(wire["text"] if "text" in wire else bytes.fromhex(wire["binary"]))
    except ProtocolError:
        return None
    if kind == "control":
        return {"type": kind, "control": parts[0]}
    if kind == "message":
        return {"type": kind, "payload": written_of(parts[0])}
    references = [{"log": log, "offset": offset, "tag": tag} for log, offset, tag in parts[0]]
    return {"type": kind, "references": references, **({} if parts[1] is None else {"payload": written_of(parts[1])})}


def play(core, protocols, step):
    """Returns what the client made of a step."""
    result = {}
    try:
        if "connect" in step:
            result["connect"] = core.offer(protocols)
        if "lose" in step:
            taken_over = step["lose"] is not True and step["lose"] == {"code": 1008, "reason": "another connection has the session"}
            core.taken_over() if taken_over else core.lost()
        if "say" in step:
            core.say(data_of(step["say"]))
        if "close" in step:
            core.close()
        if "receive" in step:
            core.receive(data_of(step["receive"]))
    except ProtocolError:
        result["broken"] = True
    if core.events:
        result["gives"] = [given_of(event) for event in core.events]
    if core.sends:
        result["sends"] = [sent_of(data) for data in core.sends]
    core.events.clear()
    core.sends.clear()
    return result


def session(name, steps, protocols=()):
    core = DeliveryCore()
    return [play(core, protocols, step) for step in steps]


vectors = json.load(sys.stdin)
json.dump(
    {
        "frames": [parsed(wire) for wire in vectors["frames"] if wire["direction"] == "to client"],
        "bad": [parsed(wire) for wire in vectors["bad"] if wire["direction"] == "to client"],
        "sessions": [session(**one) for one in vectors["sessions"]],
    },
    sys.stdout,
)
