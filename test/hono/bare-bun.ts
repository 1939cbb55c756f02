/** Bun without Edgewire around the app. */
import { websocket } from "edgewire/bun";
import { createApp } from "./app.ts";

declare const Bun: {
  serve(options: { port: number; hostname: string; fetch: (request: Request, server: object) => unknown; websocket: object }): {
    port: number;
  };
};

const { port } = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: createApp().app.fetch, websocket });
console.log(`listening on http://localhost:${port}`);
