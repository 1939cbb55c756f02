/** The HTTP that is served beside the WebSockets, on the same port: a greeting, and rooms from outside a hook. */
import type { HistoryReader, Room, RoomNamesRange, Rooms, ServerRooms, Stats } from "edgewire";
import { ask, type Ask } from "../support/calls.ts";
import { callMethod, shownHistory, type RoomMethod } from "../support/script.ts";

/** The rooms together, and the figures of their server. */
export type All = ServerRooms & { stats(): Stats };

/** @param all where the application owns a server. */
export async function answer(request: Request, rooms: Rooms, all?: All): Promise<Response> {
  const url = new URL(request.url);
  const [, first, room = "", method] = url.pathname.split("/");
  if (first === "slow") await new Promise((resolve) => setTimeout(resolve, 200));
  if (first === "server") return all === undefined ? new Response("Not Found", { status: 404 }) : answerAll(all, room, url.searchParams);
  if (first !== "rooms")
    return new Response(`${request.method} ${url.pathname} ${await request.text()}`, { headers: { "x-served-by": "fetch" } });
  try {
    if (method === "ask") return Response.json(await ask(rooms, JSON.parse(url.searchParams.get("ask") ?? "{}") as Ask));
    return Response.json(await call(rooms.room(decodeURIComponent(room)), method, url.searchParams));
  } catch (error) {
    return Response.json({ threw: (error as Error).name, message: (error as Error).message }, { status: 500 });
  }
}

async function answerAll(all: All, method: string, query: URLSearchParams): Promise<Response> {
  try {
    if (method === "stats") return Response.json(all.stats());
    if (method === "roomNames") return Response.json(await all.roomNames(JSON.parse(query.get("range") ?? "{}") as RoomNamesRange));
    return Response.json(await all.broadcast(query.get("data") ?? "", { except: query.getAll("except") }));
  } catch (error) {
    return Response.json({ threw: (error as Error).name, message: (error as Error).message }, { status: 500 });
  }
}

const afterOf = (after: string | null): HistoryReader => (after === null ? {} : { after });

function call(room: Room, method: string | undefined, query: URLSearchParams): Promise<unknown> {
  const except = query.getAll("except");
  if (method === "publish") return room.publish(query.get("topic") ?? "", query.get("data") ?? "", { except });
  if (method === "broadcast") return room.broadcast(query.get("data") ?? "", { except });
  if (method === "stats") return room.stats();
  if (method === "history") return room.history(query.get("topic") ?? "", afterOf(query.get("after"))).then(shownHistory);
  if (method === "call") {
    const [name, ...args] = JSON.parse(query.get("call") ?? "[]") as [RoomMethod, ...unknown[]];
    return Promise.resolve(callMethod(room, name, args));
  }
  if (method === "presence") return room.presence();
  return room.count();
}
