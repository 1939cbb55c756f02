/** The client in Python against Edgewire on Node, through a proxy that cuts at any byte. */
import { defineHandler } from "edgewire";
import { delivery } from "edgewire/delivery";
import { serve } from "edgewire/node";
import { describe, expect, inject, test } from "vitest";
import { cutAndCheck } from "./scene.ts";

const python = inject("python");
const clients = 5;
/** `PYTHON_SEEDS=20 PYTHON_MESSAGES=200` runs more. */
const seeds = Number(process.env["PYTHON_SEEDS"] ?? 2);
const messages = Number(process.env["PYTHON_MESSAGES"] ?? 80);

describe.skipIf(python === "")("Edgewire on Node, cut at any byte", () => {
  test.each(Array.from({ length: seeds }, (_, index) => index + 1))(
    "every message once, in order, to all; every answer once: seed %i",
    async (seed) => {
      const applied: string[] = [];
      const opened: string[] = [];
      const closed: string[] = [];
      const handler = defineHandler({
        delivery: delivery(),
        // None may be pushed out: a client that came late would have a gap.
        history: { chat: { messages: clients * messages } },
        open(connection) {
          opened.push(connection.id);
          connection.subscribe("chat", { history: true });
        },
        message(connection, data) {
          applied.push(String(data));
          connection.room.publish("chat", data);
          connection.send(`answer ${String(data)}`);
        },
        close(connection) {
          closed.push(connection.id);
        },
      });
      const server = await serve(handler, { hostname: "127.0.0.1" });
      try {
        const cuts = await cutAndCheck({ python, port: server.port, seed, clients, messages, mean: 1500 }, applied);
        expect(cuts).toBeGreaterThan(20);
      } finally {
        await server.close();
      }
      // A handshake that is cut after the server took it leaves a session without a client; the others are the clients', over all their sockets.
      expect(new Set(opened).size, "open ran once for each connection").toBe(opened.length);
      expect(closed.toSorted(), "and close too").toEqual(opened.toSorted());
    },
  );
});
