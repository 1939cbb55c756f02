/** `memory()` in workerd, whose EventTarget calls `on…` properties by itself and throws what a listener throws. */
import { defineHandler } from "edgewire";
import { fakeClock, memory } from "edgewire/memory";
import { expect, test } from "vitest";

test("a client's events, each once; settled and a clock", async () => {
  const clock = fakeClock();
  const server = memory(
    defineHandler({
      open: ({ room }) => room.setAlarm(clock.now() + 1000),
      message: (connection, data) => void connection.send(data),
      alarm: (room) => void room.broadcast("alarm"),
    }),
    { clock },
  );
  const socket = new server.WebSocket("/");
  const log: unknown[] = [];
  socket.onopen = () => log.push("open");
  socket.onmessage = ({ data }) => log.push(data);
  socket.onclose = ({ code, reason, wasClean }) => log.push([code, reason, wasClean]);
  socket.addEventListener("message", ({ data }) => log.push(`listener ${data}`), { once: true });
  await server.settled();
  socket.send("hello");
  await server.settled();
  await server.hibernate();
  await clock.advance(1000);
  void socket.close(4000, "done");
  await server.settled();
  expect(log).toEqual(["open", "hello", "listener hello", "alarm", [4000, "done", true]]);
});
