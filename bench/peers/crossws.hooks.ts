/** crossws: one set of hooks for every runtime. */
import type { AdapterOptions, Hooks, Peer } from "crossws";

export function options(mode: string): AdapterOptions {
  // Topics belong to a namespace, by default the path. The publisher uses another path here, so one is set.
  return { hooks: hooks(mode), getNamespace: () => "room" };
}

function hooks(mode: string): Partial<Hooks> {
  if (mode !== "fanout") return { message: (peer, message) => void peer.send(message.rawData) };
  return {
    open(peer) {
      if (!isPublisher(peer)) peer.subscribe("t");
    },
    message: (peer, message) => peer.publish("t", message.rawData),
  };
}

function isPublisher(peer: Peer): boolean {
  return peer.request.url.endsWith("/pub");
}
