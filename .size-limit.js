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
  entry("the core, for a connection alone", "src/server/server", 20.6),
  entry("what rooms add to it", "src/rooms/registry", 20.0),
  entry("edgewire", "src/index", 6.0),
  entry("edgewire/node", "adapters/node/index", 50.8),
  entry("edgewire/bun", "adapters/bun/index", 43.0),
  entry("edgewire/deno", "adapters/deno/index", 43.3),
  entry("edgewire/workers", "adapters/workers/index", 22.3),
  entry("edgewire/durable", "adapters/durable/index", 41.9),
  entry("edgewire/hono", "adapters/hono/index", 23.9),
  entry("edgewire/memory", "adapters/memory/index", 44.0),
  entry("edgewire/sqlite", "adapters/sqlite/index", 8.1),
  entry("edgewire/client", "src/client/index", 3.9),
  entry("edgewire/messages", "src/messages/index", 8.2),
  entry("edgewire/messages, of a page", "src/messages/browser", 4.9),
  entry("edgewire/react, with the client and messages", "adapters/react/index", 9.9),
];
