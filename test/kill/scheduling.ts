/** A server to kill while calls that were scheduled run, on Node, Bun and Deno: `scheduling.ts FILE`. */
import process from "node:process";
import { defineHandler } from "edgewire";
import { serve } from "edgewire/serve";
import { sqlite } from "edgewire/sqlite";
import { endWithParent } from "../serve/end.ts";

const handler = defineHandler({
  calls: {
    fill(room, from: number, times: readonly number[]) {
      for (const [index, time] of times.entries()) room.schedule(time, "mark", from + index, time);
    },
    /** Its last turn is that of the update. */
    async mark(room, number: number, time: number) {
      await new Promise((resolve) => setTimeout(resolve, number % 3));
      if (Date.now() < time) await room.storage.set(`early ${number}`, Date.now() - time);
      await room.storage.update<number>(`ran ${number}`, (count = 0) => count + 1);
    },
  },
});

const server = await serve(handler, {
  hostname: "127.0.0.1",
  signals: false,
  storage: sqlite(process.argv[2] ?? ""),
  async fetch(request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const rooms = Array.from({ length: Number(searchParams.get("rooms")) }, (_, index) => server.room(`${index}`, { deadline: 60_000 }));
    if (pathname === "/left") {
      const lists = await Promise.all(rooms.map((room) => room.scheduled()));
      return Response.json(lists.reduce((sum, { length }) => sum + length, 0));
    }
    const times = (await request.json()) as number[];
    const share = Math.ceil(times.length / rooms.length);
    await Promise.all(rooms.map((room, index) => room.call("fill", index * share, times.slice(index * share, (index + 1) * share))));
    return Response.json(times.length);
  },
});
endWithParent();
console.log(`LISTEN ${server.port}`);
