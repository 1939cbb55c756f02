/** What is sent arrives, as a browser sends it. */
import { equal, type Case } from "../kit.ts";

export const sending: Case[] = [
  {
    name: "text and bytes, both ways",
    async run(kit) {
      const { socket, seen } = kit.connect({ echo: true });
      socket.binaryType = "arraybuffer";
      await socket.opened;
      const received: unknown[] = [];
      socket.onmessage = ({ data }) => received.push(typeof data === "string" ? data : [...new Uint8Array(data as ArrayBuffer)]);
      const bytes = Uint8Array.of(1, 2, 3, 4, 5);
      for (const data of ["é€😀", "", bytes, bytes.buffer, bytes.subarray(1, 3), new DataView(bytes.buffer, 2, 2), new Uint8Array()]) {
        equal(socket.send(data), "sent");
      }
      // Its owner may reuse the buffer.
      bytes.fill(9);
      const expected = ["é€😀", "", [1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [2, 3], [3, 4], []];
      await kit.until("seven messages", () => received.length === 7);
      equal([received, (await seen())[0]?.received], [expected, expected]);
    },
  },
  {
    name: "a view of shared memory",
    async run(kit) {
      if (typeof SharedArrayBuffer === "undefined") return;
      const { socket, seen } = kit.connect({ echo: true });
      await socket.opened;
      socket.send(new Uint8Array(new SharedArrayBuffer(3)).fill(7).subarray(1));
      await kit.next(socket, "message");
      equal((await seen())[0]?.received, [[7, 7]]);
    },
  },
  {
    name: "binaryType blob",
    async run(kit) {
      const { socket } = kit.connect({ steps: [["bytes", [1, 2, 3]]] });
      const { data } = await kit.next<MessageEvent<Blob>>(socket, "message");
      equal([data instanceof Blob, data.size], [true, 3]);
    },
  },
  {
    name: "binaryType arraybuffer, also after a reconnection",
    async run(kit) {
      const { socket } = kit.connect([
        {
          steps: [
            ["bytes", [1]],
            ["close", 1012],
          ],
        },
        { steps: [["bytes", [2, 3]]] },
      ]);
      socket.binaryType = "arraybuffer";
      const sizes: number[] = [];
      socket.onmessage = ({ data }) => sizes.push((data as ArrayBuffer).byteLength);
      await kit.until("both", () => sizes.length === 2);
      equal(sizes, [1, 2]);
    },
  },
  {
    name: "a Blob, in front of what is sent after it",
    async run(kit) {
      const { socket, seen } = kit.connect({ echo: true });
      await socket.opened;
      const echoes = kit.messages(socket, 4);
      for (const text of ["one", "two"]) {
        socket.send(new Blob([text]));
        socket.send(`after ${text}`);
      }
      await echoes;
      const bytes = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));
      equal((await seen())[0]?.received, [bytes("one"), "after one", bytes("two"), "after two"]);
    },
  },
  {
    name: "a Blob that close() follows",
    async run(kit) {
      const { socket, seen } = kit.connect();
      await socket.opened;
      socket.send(new Blob(["b"]));
      socket.close(4000);
      await kit.next(socket, "close");
      await kit.until("its close", async () => (await seen())[0]?.closed);
      equal((await seen())[0], { received: [[98]], closed: [4000, ""] });
    },
  },
  {
    name: "a Blob that was sent before there was a connection",
    async run(kit) {
      const { socket, seen } = kit.connect({ echo: true });
      equal([socket.send("before"), socket.send(new Blob(["b"])), socket.send("after")], ["queued", "queued", "queued"]);
      await kit.until("three messages", async () => (await seen())[0]?.received.length === 3);
      equal((await seen())[0]?.received, ["before", [98], "after"]);
    },
  },
  {
    name: "a lone surrogate becomes U+FFFD",
    async run(kit) {
      const { socket, seen } = kit.connect({ echo: true });
      socket.send("a\ud800b");
      await kit.next(socket, "message");
      socket.send("\udc00\ud83d\ude00");
      equal((await kit.next<MessageEvent>(socket, "message")).data, "\ufffd😀");
      socket.close(4000, "\ud800");
      equal((await kit.next<CloseEvent>(socket, "close")).code, 4000);
      await kit.until("its close", async () => (await seen())[0]?.closed);
      equal((await seen())[0], { received: ["a\ufffdb", "\ufffd😀"], closed: [4000, "\ufffd"] });
    },
  },
  {
    name: "a thousand messages arrive in their order",
    async run(kit) {
      const { socket, seen } = kit.connect();
      const texts = Array.from({ length: 1000 }, (_, index) => String(index));
      for (const text of texts.slice(0, 500)) socket.send(text);
      await socket.opened;
      for (const text of texts.slice(500)) socket.send(text);
      await kit.until("a thousand messages", async () => (await seen())[0]?.received.length === 1000);
      equal((await seen())[0]?.received, texts);
    },
  },
  {
    name: "what waits for a connection goes out behind what open listeners send",
    async run(kit) {
      const { socket, seen } = kit.connect([{ refuse: 503 }, { echo: true }]);
      equal([socket.send("1"), socket.send(Uint8Array.of(2)), socket.bufferedAmount], ["queued", "queued", 2]);
      socket.onopen = () => equal(socket.send("hello"), "sent");
      await kit.messages(socket, 3);
      equal([socket.bufferedAmount, (await seen())[0]?.received], [0, ["hello", "1", [2]]]);
    },
  },
  {
    name: "what may wait is bound, and what is refused is told",
    async run(kit) {
      const { socket, events, seen } = kit.connect({ echo: true }, { queueMessages: 2, queueBytes: 5 });
      equal(
        ["ä", "1234", "123", ""].map((text) => socket.send(text)),
        ["queued", "refused", "queued", "refused"],
      );
      await kit.until("two echoes", () => events.length === 5);
      equal(events, [["drop", "1234"], ["drop", ""], ["open"], ["message", "ä"], ["message", "123"]]);
      socket.close();
      await kit.next(socket, "close");
      equal([socket.send("late"), events.at(-1), (await seen())[0]?.received], ["refused", ["drop", "late"], ["ä", "123"]]);
    },
  },
];
