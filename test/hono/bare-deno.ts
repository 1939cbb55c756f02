/** Deno without Edgewire around the app. */
import { createApp } from "./app.ts";

declare const Deno: {
  serve(
    options: { port: number; hostname: string; onListen(at: { port: number }): void },
    fetch: (request: Request, info: object) => unknown,
  ): void;
};

const { app } = createApp();
Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: ({ port }) => console.log(`listening on http://localhost:${port}`) }, app.fetch);
