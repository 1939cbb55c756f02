/** A server whose users are logged in by a cookie, with default options or with `origins: "*"`; it tells a client what it sees. */
import { defineHandler } from "edgewire";
import type { Options } from "edgewire";

/** @param origins "*", or anything else for the default. */
export function optionsOf(origins: string | undefined): Options {
  return origins === "*" ? { origins } : {};
}

export function victim(options: Options): ReturnType<typeof defineHandler<{ cookie: string }>> {
  return defineHandler<{ cookie: string }>({
    ...options,
    upgrade: (request) => ({ state: { cookie: request.headers.get("cookie") ?? "no cookie" }, room: "lobby" }),
    open: (connection) => void connection.send(connection.state.cookie),
  });
}

/** The login: one cookie for each of the three settings of SameSite. */
export function login(): Response {
  const headers = new Headers({ "content-type": "text/html" });
  headers.append("set-cookie", "strict=1; HttpOnly; SameSite=Strict");
  headers.append("set-cookie", "lax=1; HttpOnly; SameSite=Lax");
  headers.append("set-cookie", "none=1; HttpOnly; SameSite=None; Secure");
  return new Response("<!doctype html><title>The server's own page</title>", { headers });
}
