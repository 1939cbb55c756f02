/** A runtime's own topics behind the gate. */
import type { NativePublish, NativeTopics, Socket, Subscriber } from "../../src/ports.ts";
import type { Sendable } from "../../src/api/connection.ts";
import { mostOnWire, ownCopy } from "../../src/values/data.ts";
import type { HoldingGate } from "./held.ts";
import type { GatedSocket } from "./socket.ts";

export function gatedTopics(gate: HoldingGate, native: NativeTopics, backlogged: (audience: Iterable<Subscriber>) => void): NativeTopics {
  /** What sends nothing is done even if the turn is undone. */
  const inOrder = (run: () => void): void => {
    if (gate.holding) gate.hold({ release: run, drop: run });
    else run();
  };
  const publish = (name: string, data: Sendable, { except, compress, audience }: NativePublish): number =>
    native.publish(name, data, { except: except === undefined ? undefined : nativeOf(except), compress, audience });
  return {
    name: () => native.name(),
    subscribe: (socket, name) => inOrder(() => native.subscribe(nativeOf(socket), name)),
    unsubscribe: (socket, name) => inOrder(() => native.unsubscribe(nativeOf(socket), name)),
    publish(name, data, options) {
      if (!gate.holding) return publish(name, data, options);
      const own = ownCopy(data);
      gate.hold({
        release() {
          // A sender that has left since would publish nothing.
          const left = (options.except as GatedSocket | undefined)?.listener?.phase === "closed";
          if (publish(name, own, left ? { ...options, except: undefined } : options) < 0) backlogged(options.audience);
        },
        drop(missing) {
          for (const { socket } of options.audience) if (socket !== options.except) missing.add(socket);
        },
      });
      return mostOnWire(data);
    },
    // The turn's end comes first: it was asked for when the turn began.
    handedOver: (callback) => native.handedOver(callback),
  };
}

function nativeOf(socket: Socket): Socket {
  return (socket as GatedSocket).native;
}
