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
  entry("the core, for a connection alone", "src/server", 15.6),
  entry("what rooms add to it", "src/commons", 9.8),
  entry("edgewire", "src/index", 4.4),
  entry("edgewire/node", "adapters/node", 31.9),
  entry("edgewire/bun", "adapters/bun", 26.4),
  entry("edgewire/deno", "adapters/deno", 25.9),
  entry("edgewire/workers", "adapters/workers", 17),
  entry("edgewire/durable", "adapters/durable", 25.7),
  entry("edgewire/hono", "adapters/hono", 17.7),
  entry("edgewire/memory", "adapters/memory", 24),
  entry("edgewire/client", "src/client/index", 2.6),
  entry("edgewire/messages", "src/messages/index", 4.4),
];
