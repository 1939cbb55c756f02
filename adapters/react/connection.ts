/**
 * The socket of a component, and its client for messages if it has one: created in an effect, shown by useSyncExternalStore, closed on unmount.
 *
 * React runs effects twice in development (StrictMode), and again on Fast Refresh: one ends, and the next begins in the same turn. So a socket
 * connects a microtask after its effect began, and closes a microtask after its effect ended, unless an effect with the same arguments has it by then.
 */
import { useMemo, useState, useSyncExternalStore } from "react";
import { ReconnectingWebSocket } from "../../src/client/socket.ts";
import { ask } from "../../src/client/target.ts";
import type { Address, ClientOptions, Protocols, Status } from "../../src/client/types.ts";
import { useLatest } from "./latest.ts";

/** What the hook was called with. */
export interface Given<Client> {
  readonly url: Address | null | undefined;
  readonly protocols: Protocols | undefined;
  readonly options: ClientOptions;
  /** What `connect` makes a client of. */
  readonly source?: unknown;
  readonly connect?: (socket: ReconnectingWebSocket) => Client;
}

/** What a component shows: a new object when something in it has changed, the same one otherwise. */
export interface Shown<Client, Send> {
  readonly socket: ReconnectingWebSocket | undefined;
  readonly client: Client | undefined;
  readonly status: Status;
  readonly retryAt: number | undefined;
  readonly latency: number | undefined;
  readonly send: Send;
}

interface Sender {
  send(...args: never): unknown;
}

interface Held<Client> {
  readonly key: string;
  readonly source: unknown;
  readonly socket: ReconnectingWebSocket;
  readonly client: Client | undefined;
}

interface Store<Client, Send> {
  /** What is shown while there is no socket. */
  readonly none: Shown<Client, Send>;
  /** What is shown for these arguments. @throws the error of an address or subprotocol that no WebSocket accepts. */
  read(key: string): Shown<Client, Send>;
  /** The effect with these arguments: opens their socket unless it is there. */
  hold(key: string): (onChange: () => void) => () => void;
}

export function useConnection<Client extends Sender, Send>(given: Given<Client>): Shown<Client, Send> {
  const { url, protocols, options } = given;
  const latest = useLatest(given);
  const [store] = useState(() => createStore<Client, Send>(latest));
  // By value. Functions and classes have no JSON, and all signals have the same.
  const key = url === null || url === undefined ? "" : JSON.stringify([url, protocols, options]);
  return useSyncExternalStore(
    useMemo(() => store.hold(key), [store, key]),
    () => store.read(key),
    () => store.none,
  );
}

function createStore<Client extends Sender, Send>(latest: { readonly current: Given<Client> }): Store<Client, Send> {
  const send = (...args: never): unknown => (held?.client ?? (held?.socket as Sender | undefined))?.send(...args) ?? "refused";
  const none = { socket: undefined, client: undefined, status: "connecting", retryAt: undefined, latency: undefined } as const;
  const before: Shown<Client, Send> = { ...none, send: send as Send };
  let held: Held<Client> | undefined;
  let shown = before;
  let failure: Error | undefined;
  let showsLatency = false;
  let notify: (() => void) | undefined;

  function close(): void {
    held?.socket.close();
    held = failure = undefined;
    showsLatency = false;
  }

  function open(key: string): void {
    close();
    const { url, protocols = [], options, source, connect } = latest.current;
    // Of functions the latest are called; they also put the first attempt off, until the effects have run.
    const socket = new ReconnectingWebSocket(
      () => ask(latestOf(url as Address, latest.current.url)),
      () => ask(latestOf(protocols, latest.current.protocols)),
      options,
    );
    let client: Client | undefined;
    try {
      client = connect?.(socket);
    } catch (error) {
      socket.close();
      throw error;
    }
    const mine = { key, source, socket, client };
    const show = (): void => {
      if (held !== mine) return;
      shown = {
        ...before,
        socket,
        client,
        status: socket.status,
        retryAt: socket.retryAt,
        get latency() {
          showsLatency = true;
          return socket.latency;
        },
      };
      notify?.();
    };
    held = mine;
    socket.addEventListener("status", show);
    socket.addEventListener("latency", () => showsLatency && show());
    // What the constructor would have thrown, for an error boundary. The status follows.
    socket.addEventListener(
      "error",
      ({ error }) => (failure = held === mine && (error as Error)?.name === "SyntaxError" ? (error as Error) : failure),
    );
    show();
  }

  return {
    none: before,
    read(key) {
      if (held?.key !== key) return before;
      if (failure) throw failure;
      return shown;
    },
    hold: (key) => (onChange) => {
      if (key === "") close();
      else if (held?.key !== key || held.source !== latest.current.source) open(key);
      notify = onChange;
      return () => {
        notify = undefined;
        queueMicrotask(() => notify ?? close());
      };
    },
  };
}

/** A function of the latest render replaces one of an earlier render. */
function latestOf<Value>(then: Value, now: unknown): Value {
  return typeof now === "function" ? (now as Value) : then;
}
