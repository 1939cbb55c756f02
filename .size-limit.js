/** What a user's bundle grows by: `npm run size`. A budget lies just above what is there, so that growth is a decision. */
const external = ["node:*", "cloudflare:*", "ws", "hono", "hono/*", "@hono/node-server", "msgpackr", "@opentelemetry/api", "react"];

const entry = (name, file, limit) => ({
  name,
  path: `dist/${file}.js`,
  limit: `${limit} kB`,
  gzip: true,
  modifyEsbuildConfig: (config) => ({
    ...config,
    platform: "neutral",
    // As `wrangler deploy` has it.
    define: { ...config.define, "process.env.NODE_ENV": '"production"' },
    target: "es2024",
    external: [...(config.external ?? []), ...external],
  }),
});

export default [
  entry("the core, for a connection alone", "src/server/server", 20.7),
  entry("what rooms add to it", "src/rooms/registry", 20.3),
  entry("edgewire", "src/index", 6.1),
  entry("edgewire/node", "adapters/node/index", 51.3),
  entry("edgewire/bun", "adapters/bun/index", 43.5),
  entry("edgewire/deno", "adapters/deno/index", 43.9),
  entry("edgewire/workers", "adapters/workers/index", 22.4),
  entry("edgewire/durable", "adapters/durable/index", 42.4),
  entry("edgewire/hono", "adapters/hono/index", 24.0),
  entry("edgewire/memory", "adapters/memory/index", 44.6),
  entry("edgewire/sqlite", "adapters/sqlite/index", 8.1),
  entry("edgewire/client", "src/client/index", 3.9),
  entry("edgewire/delivery/client, with the client", "src/delivery/client/index", 8.4),
  entry("edgewire/messages", "src/messages/index", 10.1),
  entry("edgewire/messages, of a page", "src/messages/browser", 6.9),
  entry("edgewire/react, with the client and messages", "adapters/react/index", 9.9),
];
