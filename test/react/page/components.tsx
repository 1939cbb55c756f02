/** The components that the tests mount. Each tells what its hooks return. */
import * as React from "react";
import { Suspense, useEffect, useState } from "react";
import type { ReactNode } from "react";
import { useMessage, useMessages, usePresence, useRequest, useSocket, useStream } from "edgewire/react";
import type { SocketOptions } from "edgewire/react";
import { messages } from "./messages.ts";
import { world } from "./world.ts";

interface SocketProps {
  readonly url: Parameters<typeof useSocket>[0];
  readonly options?: SocketOptions;
  readonly latency?: boolean;
  /** Sent in an effect of this component and of a child, when they are mounted. */
  readonly hello?: string;
}

function Socket({ url, options, latency = false, hello }: SocketProps): ReactNode {
  const state = useSocket(url, options);
  const { status, retryAt, socket, send } = state;
  world.state = state;
  world.renders.push({ status, retryAt, url: socket?.url, ...(latency && { latency: state.latency }) });
  useEffect(() => {
    if (hello !== undefined) world.told.push(send(hello));
  }, [hello, send]);
  return <Child send={send} hello={hello} />;
}

function Child({ send, hello }: { send(data: string): string; hello: string | undefined }): ReactNode {
  useEffect(() => {
    if (hello !== undefined) world.told.push(`child ${send(hello)}`);
  }, [hello, send]);
  return null;
}

/** Two of them, each with its own socket. */
function Pair(props: SocketProps): ReactNode {
  return [0, 1].map((each) => <Socket key={each} {...props} />);
}

/** A socket beside what suspends as long as `waits` is pending. */
function Suspended({ waits, ...props }: SocketProps & { readonly waits?: PromiseLike<unknown> }): ReactNode {
  return (
    <Suspense fallback="waiting">
      <Socket {...props} />
      <Waits for={waits} />
    </Suspense>
  );
}

const done = new WeakSet<object>();

function Waits({ for: promise }: { readonly for: PromiseLike<unknown> | undefined }): ReactNode {
  // As libraries did before `use`, so that it works in React 18.
  if (promise !== undefined && !done.has(promise)) throw promise.then(() => done.add(promise));
  return null;
}

function Hidden({ mode, ...props }: SocketProps & { readonly mode: "visible" | "hidden" }): ReactNode {
  return (
    <React.Activity mode={mode}>
      <Socket {...props} />
    </React.Activity>
  );
}

/** Listens with a closure over a prop, and asks. */
function Chat({
  url,
  mark = "",
  name = "said",
}: {
  readonly url: SocketProps["url"];
  readonly mark?: string;
  readonly name?: "said";
}): ReactNode {
  const state = useMessages(world.definition ?? messages, url);
  const { client, status } = state;
  const echo = useRequest(client, "echo");
  const counted = useStream(client, "count");
  const refuse = useRequest(client, "refuse");
  const [count, setCount] = useState(0);
  useMessage(client, name, ({ text }) => {
    if (text === "throw") throw new Error("of a listener");
    setCount(count + 1);
    world.told.push(`${mark}${count} ${text}`);
  });
  useMessage(client, "said", ({ text }) => void world.told.push(`other ${text}`));
  world.state = state;
  world.renders.push({ status });
  world.calls = { echo, refuse, count: counted };
  return <p>{[status, count, echo.data, echo.error?.message, echo.pending ? "pending" : ""].join("|")}</p>;
}

/** Shows who is in the room. */
function People({ url, topic = "people" }: { readonly url: SocketProps["url"]; readonly topic?: string }): ReactNode {
  const state = useMessages(messages, url);
  const people = usePresence(state.client, topic);
  world.state = state;
  world.people = people;
  world.renders.push({ status: state.status });
  return people.members.map(({ id, state: { typing } }) => <p key={id}>{`${id}${typing ? " is typing" : ""}`}</p>);
}

export const components = { Socket, Pair, Suspended, Hidden, Chat, People };
