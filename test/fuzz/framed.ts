/** Connections whose handshake is valid, and what they send then is not, or is cut off, or is far too much. */
import { closePayload, Opcode } from "../wire/frames.ts";
import { encodeRequest } from "../wire/http.ts";
import { broken } from "./broken.ts";
import type { Build, Family } from "./build.ts";
import { fragments, frame, legalFrame } from "./frames.ts";

export const frameFamilies: readonly (readonly [number, string, Family])[] = [
  [8, "broken frame", brokenFrame],
  [3, "random bytes as frames", noise],
  [3, "frames with bits flipped", flipped],
  [3, "frame cut off", cutOff],
  [3, "flood", flood],
  [1, "flood, not read", deaf],
  [3, "closes", closes],
  [3, "hooks that end it", hooks],
  [1, "legal", legal],
];

function open(build: Build, scripts: Record<string, unknown> = {}): void {
  build.write("a handshake", encodeRequest({ target: build.target(scripts) }, "localhost"));
  build.add({ type: "accepted" });
}

function brokenFrame(build: Build): void {
  const { random } = build;
  const [cause, bytes] = broken(build);
  if (cause === "message over maxPayload") build.on = "tight";
  open(build);
  for (let count = random.int(0, 3); count > 0; count--) build.write("a legal frame", legalFrame(build));
  build.frames++;
  build.broken = true;
  build.write(cause, bytes);
  for (let count = random.int(0, 2); count > 0; count--) build.write("a frame after it", legalFrame(build));
  if (random.chance(0.25)) return build.leave("FIN after a broken frame");
  build.ended(cause);
}

function noise(build: Build): void {
  const { random } = build;
  open(build);
  build.broken = true;
  build.write("random bytes", random.bytes(random.int(1, 3000)));
  build.leave("FIN after a broken frame");
}

function flipped(build: Build): void {
  const { random } = build;
  open(build);
  const bytes = Buffer.concat(Array.from({ length: random.int(1, 10) }, () => legalFrame(build)));
  for (let count = random.int(1, 5); count > 0; count--) bytes[random.int(0, bytes.length - 1)]! ^= 1 << random.int(0, 7);
  build.broken = true;
  build.write("frames with bits flipped", bytes);
  build.leave("FIN after a broken frame");
}

/** Half a frame; lengths that are not the shortest are cut as well. */
function cutOff(build: Build): void {
  const { random } = build;
  open(build);
  if (random.chance(0.3)) build.write("a legal frame", legalFrame(build));
  const whole = random.pick([
    () => frame(build, { opcode: Opcode.binary, payload: random.bytes(random.int(1, 2000)), lengthBytes: random.pick([2, 8]) }),
    () => frame(build, { opcode: Opcode.close, payload: closePayload(1000, "going") }),
    () => fragments(build, random.int(2, 10)),
  ])();
  build.frames++;
  build.write("half a frame", whole.subarray(0, random.int(1, whole.length - 1)));
  build.leave("FIN inside a frame");
}

/** Legal, and much: the server answers all of it, and what comes after it. */
function flood(build: Build): void {
  const { random } = build;
  open(build);
  const many = (count: number, make: () => Buffer): Buffer => Buffer.concat(Array.from({ length: count }, make));
  const [what, bytes] = random.pick([
    () => ["pings", many(random.int(100, 2000), () => frame(build, { opcode: Opcode.ping, payload: "p" }))] as const,
    () => ["pongs", many(random.int(100, 2000), () => frame(build, { opcode: Opcode.pong }))] as const,
    () => ["fragments", fragments(build, random.int(500, 4000))] as const,
    () => ["empty fragments", many(random.int(100, 2000), emptyFragment(build))] as const,
    () => ["tiny messages", many(random.int(20, 200), () => frame(build, { opcode: Opcode.text, payload: "t" }))] as const,
  ])();
  build.frames += 1000;
  build.write(`a flood of ${what}`, bytes);
  if (random.chance(0.2)) return build.leave("FIN after the handshake");
  if (what === "empty fragments") build.write("the last fragment", frame(build, { opcode: Opcode.continuation, payload: "" }));
  sayGoodbye(build);
}

function emptyFragment(build: Build): () => Buffer {
  let first = true;
  return () => {
    const part = frame(build, { opcode: first ? Opcode.text : Opcode.continuation, fin: false });
    first = false;
    return part;
  };
}

/** The echo of everything is more than the client takes. */
function deaf(build: Build): void {
  const { random } = build;
  build.on = random.pick(["main", "dropping"]);
  open(build);
  build.add({ type: "deafen" });
  for (let count = random.int(1, 16); count > 0; count--) {
    build.frames++;
    build.write("what will not be read", frame(build, { opcode: Opcode.binary, payload: Buffer.alloc(64 * 1024, random.int(0, 255)) }));
  }
  build.pause(100);
  build.add({ type: "reset" });
}

function closes(build: Build): void {
  const { random } = build;
  open(build);
  build.answersClose = false;
  const code = random.pick([undefined, 1000, 1001, 1011, 3000, 4999]);
  build.frames++;
  build.write(
    "a close",
    frame(build, { opcode: Opcode.close, payload: closePayload(code, code === undefined ? "" : random.text(random.int(0, 123))) }),
  );
  for (let count = random.int(0, 4); count > 0; count--) build.write("data after the close", legalFrame(build));
  if (random.chance(0.3)) return build.leave("FIN after the handshake");
  build.ended("client's close");
}

/** The server is the one who ends it, in a hook; in the midst of what the client sends. */
function hooks(build: Build): void {
  const { random } = build;
  const end = random.pick([
    [["throw", "fuzz"]],
    [["reject", "fuzz"]],
    [["close", 4000, "fuzz"]],
    [["sleep", 10], ["close"]],
    [["terminate"]],
  ]);
  // Only here is the closing deadline short enough to wait for it.
  build.on = "tight";
  build.answersClose = random.chance(0.7);
  const first = random.chance(0.5);
  open(build, first ? { open: end } : { message: end });
  build.frames++;
  build.write("a message", frame(build, { opcode: Opcode.text, payload: "now" }));
  for (let count = random.int(0, 4); count > 0; count--) build.write("a legal frame", legalFrame(build));
  if (random.chance(0.2)) return build.leave("FIN after a hook's end");
  build.ended(!build.answersClose ? "unanswered close" : first ? "hook's end before the first message" : "hook's end");
}

/** Subscribes and publishes to a topic that a neighbour uses in a room of its own. */
function legal(build: Build): void {
  const { random } = build;
  open(
    build,
    random.chance(0.7)
      ? {
          open: [
            ["subscribe", "news"],
            ["publish", "news", "not for the neighbour"],
          ],
        }
      : {},
  );
  for (let count = random.int(0, 10); count > 0; count--) build.write("a legal frame", legalFrame(build));
  sayGoodbye(build);
}

function sayGoodbye(build: Build): void {
  const text = `still here ${build.number}`;
  build.frames++;
  build.write("a last message", frame(build, { opcode: Opcode.text, payload: text }));
  build.expect(text);
  endIt(build);
}

function endIt(build: Build): void {
  build.answersClose = false;
  build.frames++;
  build.write("a close", frame(build, { opcode: Opcode.close, payload: closePayload(1000) }));
  build.ended("client's close");
}
