/**
 * An npm registry on this machine that has what is packed here. Requests for other packages are redirected to the registry that npm is set up with,
 * so that npm, bun and deno install a project as it is written, without a change to it.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

interface Manifest {
  readonly name: string;
  readonly version: string;
}

interface Packed {
  readonly manifest: Manifest;
  readonly bytes: Buffer;
}

export class Registry implements AsyncDisposable {
  readonly #packages: ReadonlyMap<string, Packed>;
  readonly #upstream: string;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  /** @param tarballs what it has */
  static async start(tarballs: readonly string[]): Promise<Registry> {
    const registry = new Registry(tarballs);
    registry.#server.listen(0, "127.0.0.1");
    await once(registry.#server, "listening");
    return registry;
  }

  private constructor(tarballs: readonly string[]) {
    this.#packages = new Map(tarballs.map((file) => [read(file).manifest.name, read(file)]));
    this.#upstream = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim().replace(/\/$/, "");
  }

  /** With a slash at its end, as npm has it. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #answer({ url = "/" }: IncomingMessage, response: ServerResponse): void {
    const [name = "", dash] = url.slice(1).split("/");
    const found = this.#packages.get(name);
    if (found === undefined) response.writeHead(302, { location: `${this.#upstream}${url}` }).end();
    else if (dash === "-") response.writeHead(200, { "content-type": "application/octet-stream" }).end(found.bytes);
    else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(this.#document(found)));
  }

  #document({ manifest, bytes }: Packed): object {
    const { name, version } = manifest;
    const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
    const shasum = createHash("sha1").update(bytes).digest("hex");
    const dist = { tarball: `${this.url}${name}/-/${name}-${version}.tgz`, integrity, shasum };
    return { name, "dist-tags": { latest: version }, versions: { [version]: { ...manifest, dist } }, time: {} };
  }
}

function read(file: string): Packed {
  const manifest = execFileSync("tar", ["-xOzf", file, "package/package.json"], { encoding: "utf8" });
  return { manifest: JSON.parse(manifest) as Manifest, bytes: readFileSync(file) };
}
