// Copies the modules that the page imports to where it finds them. Wrangler runs it (wrangler.toml).
import { cpSync } from "node:fs";

const modules = {
  "client.js": "edgewire/client.js",
  "messages.js": "edgewire/messages.js", //: messages
  "valibot.js": "valibot", //: messages
};

for (const [file, name] of Object.entries(modules)) cpSync(new URL(import.meta.resolve(name)), `public/modules/${file}`);
