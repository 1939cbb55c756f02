/** What a user's bundle grows by: `npm run size`. A budget lies just above what is there, so that growth is a decision. */
const external = ["node:*", "cloudflare:*", "ws", "hono", "hono/*", "@hono/node-server", "msgpackr", "@opentelemetry/api"];

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
  entry("the core, for a connection alone", "src/server", 21.6),
  entry("what rooms add to it", "src/commons", 13.7),
  entry("edgewire", "src/index", 5.8),
  entry("edgewire/node", "adapters/node", 44.9),
  entry("edgewire/bun", "adapters/bun", 37.1),
  entry("edgewire/deno", "adapters/deno", 37.4),
  entry("edgewire/workers", "adapters/workers", 23.1),
  entry("edgewire/durable", "adapters/durable", 36.1),
  entry("edgewire/hono", "adapters/hono", 24),
  entry("edgewire/memory", "adapters/memory", 33.3),
  entry("edgewire/client", "src/client/index", 3.8),
  entry("edgewire/messages", "src/messages/index", 5.2),
];
