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
  entry("the core, for a connection alone", "src/server/server", 21.9),
  entry("what rooms add to it", "src/rooms/registry", 22),
  entry("edgewire", "src/index", 6.3),
  entry("edgewire/node", "adapters/node/index", 55.4),
  entry("edgewire/bun", "adapters/bun/index", 46.8),
  entry("edgewire/deno", "adapters/deno/index", 47.4),
  entry("edgewire/workers", "adapters/workers/index", 23.7),
  entry("edgewire/durable", "adapters/durable/index", 45.4),
  entry("edgewire/hono", "adapters/hono/index", 25.6),
  entry("edgewire/memory", "adapters/memory/index", 47.6),
  entry("edgewire/cluster", "src/cluster/index", 29.4),
  entry("edgewire/sqlite", "adapters/sqlite/index", 8.3),
  entry("edgewire/redis, with the cluster", "adapters/redis/index", 40.8),
  entry("edgewire/client", "src/client/index", 4),
  entry("edgewire/delivery", "src/delivery/server/index", 16.2),
  entry("edgewire/delivery/client, with the client", "src/delivery/client/index", 8.5),
  entry("edgewire/messages", "src/messages/index", 10.5),
  entry("edgewire/messages, of a page", "src/messages/browser", 7),
  entry("edgewire/react, with the client and messages", "adapters/react/index", 9.9),
];
