/** What has to be set in Redis, and is not. */
import type { Commands } from "./connection.ts";

/** In words, for a log. */
export async function inspect(commands: Commands): Promise<string[]> {
  const [memory, server] = await Promise.all([commands.info("memory"), commands.info("server")]);
  const problems: string[] = [];
  const policy = fieldOf(memory, "maxmemory_policy");
  if (policy !== undefined && policy !== "noeviction")
    problems.push(`maxmemory-policy is ${policy}: histories and sessions may be evicted. Set it to noeviction`);
  const version = fieldOf(server, "redis_version");
  if (version !== undefined && Number.parseInt(version) < 7) problems.push(`this is version ${version}: Edgewire is tested with Redis 7`);
  return problems;
}

function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1];
}
