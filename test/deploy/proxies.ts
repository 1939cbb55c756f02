/** Starts each proxy with its configuration of docs/deploy/proxies.md. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProxyName } from "../../scripts/proxies.ts";
import { readPage, root } from "../docs/pages.ts";
import { freePorts, run, type Running } from "./processes.ts";

/** The name that the configurations serve. */
export const host = "chat.example.com";

const page = readPage("docs/deploy/proxies.md");

/** A block of the page. */
export function block(file: string): string {
  const found = page.blocks.find(({ attributes }) => attributes.get("file") === file);
  if (found === undefined) throw new Error(`docs/deploy/proxies.md has no block file=${file}`);
  return found.code;
}

/** Replaces what a machine of its own would have. Each of the given strings must be there. */
function adapt(text: string, replacements: Readonly<Record<string, string>>): string {
  let adapted = text;
  for (const [from, to] of Object.entries(replacements)) {
    if (!adapted.includes(from)) throw new Error(`the configuration has no ${from}:\n${text}`);
    adapted = adapted.replaceAll(from, to);
  }
  return adapted;
}

export interface Setting {
  readonly folder: string;
  /** Of the server behind it. */
  readonly server: number;
  readonly port: number;
  /** Replaces more of the page's configuration. */
  readonly changes?: Readonly<Record<string, string>>;
}

const certificate = join(root, "test/tls/cert.pem");
const key = join(root, "test/tls/key.pem");

/** Where each looks for the files that Debian's own configuration would include, and how it runs in the foreground. */
const starters: Readonly<Record<ProxyName, (path: string, setting: Setting) => Running | Promise<Running>>> = {
  nginx(path, { folder, server, port, changes }) {
    const site = adapt(block("nginx.conf"), {
      "listen 443": `listen 127.0.0.1:${port}`,
      ":3000": `:${server}`,
      "/etc/ssl/chat.pem": certificate,
      "/etc/ssl/chat.key": key,
      ...changes,
    });
    writeFileSync(join(folder, "site.conf"), site);
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join("\n");
    const main = `daemon off; pid ${folder}/pid; user root; worker_processes 1; error_log stderr;
events { worker_connections 768; }
http { access_log off; ${paths} include ${folder}/site.conf; }`;
    writeFileSync(join(folder, "main.conf"), main);
    return run(path, ["-p", folder, "-e", "stderr", "-c", join(folder, "main.conf")]);
  },

  async Caddy(path, { folder, server, port, changes }) {
    const site = adapt(block("Caddyfile"), { ":3000": `:${server}`, ...changes });
    const [http] = await freePorts(1);
    // A certificate of its own in place of a public one.
    const options = `{
	admin off
	local_certs
	skip_install_trust
	http_port ${http}
	https_port ${port}
}`;
    writeFileSync(join(folder, "Caddyfile"), `${options}\n${site}`);
    const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
    return run(path, ["run", "--config", join(folder, "Caddyfile"), "--adapter", "caddyfile"], { env });
  },

  haproxy(path, { folder, server, port, changes }) {
    writeFileSync(join(folder, "chat.pem"), readFileSync(certificate, "utf8") + readFileSync(key, "utf8"));
    const configuration = adapt(block("haproxy.cfg"), {
      "bind :443": `bind 127.0.0.1:${port}`,
      ":3000": `:${server}`,
      "/etc/haproxy/chat.pem": join(folder, "chat.pem"),
      ...changes,
    });
    writeFileSync(join(folder, "haproxy.cfg"), configuration);
    return run(path, ["-db", "-f", join(folder, "haproxy.cfg")]);
  },

  Apache(path, { folder, server, port, changes }) {
    const site = adapt(block("apache.conf"), {
      "*:443": `127.0.0.1:${port}`,
      ":3000": `:${server}`,
      "/etc/ssl/chat.pem": certificate,
      "/etc/ssl/chat.key": key,
    });
    // Debian's own modules, and those of the page's a2enmod.
    const enabled =
      /a2enmod ([a-z_ ]+)/
        .exec(readFileSync(join(root, page.name), "utf8"))?.[1]
        ?.trim()
        .split(" ") ?? [];
    const modules = ["mpm_event", "authz_core", "reqtimeout", "socache_shmcb", ...enabled];
    const main = [
      `ServerRoot ${folder}`,
      `PidFile ${folder}/pid`,
      `DefaultRuntimeDir ${folder}`,
      "Mutex sem",
      "ServerName localhost",
      `ErrorLog ${folder}/error.log`,
      ...modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`),
      "User www-data",
      "Group www-data",
      "Timeout 300",
      "RequestReadTimeout header=20-40,MinRate=500 body=10,MinRate=500",
      `Listen 127.0.0.1:${port}`,
      block("mpm_event.conf"),
      site,
    ];
    writeFileSync(join(folder, "main.conf"), adapt(main.join("\n"), changes ?? {}));
    return run(path, ["-DFOREGROUND", "-f", join(folder, "main.conf")]);
  },
};

export async function startProxy(name: ProxyName, path: string, setting: Setting): Promise<Running> {
  mkdirSync(setting.folder, { recursive: true });
  return starters[name](path, setting);
}
