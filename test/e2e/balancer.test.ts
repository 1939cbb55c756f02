/** The balancer of `npm start -- node --nodes 2`, before servers that say their name. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Balancer } from "../../examples/cluster/balancer.ts";
import { freePort } from "./server.ts";

interface Node {
  readonly port: number;
  /** Answers health checks no more, and keeps its connections. */
  stop(): void;
}

async function serveNode(name: string): Promise<Node> {
  let isStopped = false;
  const server: Server = createServer((_, response) => {
    if (!isStopped) response.end(name);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, stop: () => void (isStopped = true) };
}

async function balance(): Promise<readonly [Balancer, ask: () => Promise<string>, port: number]> {
  const port = await freePort();
  const balancer = await Balancer.listen(port);
  onTestFinished(() => balancer.close());
  const ask = async (): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
    return response.ok ? response.text() : `${response.status}, again in ${response.headers.get("retry-after")} s`;
  };
  return [balancer, ask, port];
}

test("each connection goes to the next node, and none to one that is gone", async () => {
  const [balancer, ask] = await balance();
  expect(await ask()).toBe("503, again in 1 s");
  const nodes = [await serveNode("one"), await serveNode("two")];
  const [remove] = nodes.map(({ port }) => balancer.add(port));
  expect([await ask(), await ask(), await ask(), await ask()]).toEqual(["one", "two", "one", "two"]);
  // It refuses connections, and nobody has said that it is gone.
  balancer.add(await freePort());
  expect([await ask(), await ask(), await ask()].toSorted()).toEqual(expect.arrayContaining(["one", "two"]));
  remove?.();
  expect([await ask(), await ask()]).toEqual(["two", "two"]);
});

test("a node that answers nothing any more loses its connections, so clients go elsewhere", async () => {
  const [balancer, ask, port] = await balance();
  const [first, second] = [await serveNode("one"), await serveNode("two")];
  balancer.add(first.port);
  const client = connect(port, "127.0.0.1");
  client.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  expect(String((await once(client, "data"))[0])).toContain("one");
  balancer.add(second.port);
  const closed = once(client, "close");
  first.stop();
  await closed;
  expect([await ask(), await ask()]).toEqual(["two", "two"]);
});
