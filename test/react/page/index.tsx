/** Mounts a component, under StrictMode in a development build, and tells of the errors that a boundary catches. */
import { Component, StrictMode } from "react";
import type { ComponentType, ReactNode } from "react";
import { flushSync } from "react-dom";
import { createRoot, hydrateRoot } from "react-dom/client";
import type { Root } from "react-dom/client";
import { renderToString } from "react-dom/server.browser";
import { memory } from "edgewire/memory";
import { Rooms, echo } from "../server.ts";
import { components } from "./components.tsx";
import { messages } from "./messages.ts";
import { world } from "./world.ts";

declare const process: { readonly env: { readonly NODE_ENV: string } };

/** Of refresh.ts, in a development build. */
interface Refresh {
  register(component: unknown, id: string): void;
  performReactRefresh(): unknown;
}
const { refresh } = globalThis as { refresh?: Refresh };

class Boundary extends Component<{ readonly children: ReactNode }, { readonly failed?: boolean }> {
  override state: { readonly failed?: boolean } = {};
  static getDerivedStateFromError(error: Error): object {
    world.caught.push(`${error.name}: ${error.message}`);
    return { failed: true };
  }
  override render(): ReactNode {
    return this.state.failed ? "failed" : this.props.children;
  }
}

for (const [name, component] of Object.entries(components)) refresh?.register(component, name);

world.messages = messages;

let root: Root | undefined;

function contentOf(name: string, props: object): ReactNode {
  const Mounted = components[name as keyof typeof components] as ComponentType<object>;
  const content = (
    <Boundary>
      <Mounted {...props} />
    </Boundary>
  );
  return process.env.NODE_ENV === "production" ? content : <StrictMode>{content}</StrictMode>;
}

const main = (): HTMLElement => document.body.appendChild(document.createElement("main"));

world.mount = (name, props) => {
  root ??= createRoot(main());
  root.render(contentOf(name, props));
};

world.hydrate = (name, props) => {
  const content = contentOf(name, props);
  const element = main();
  const html = (element.innerHTML = renderToString(content));
  world.renders = [];
  root = hydrateRoot(element, content);
  return html;
};

world.mountNow = (name, props) => flushSync(() => world.mount(name, props));

world.unmount = () => {
  root?.unmount();
  root = undefined;
  document.body.replaceChildren();
  Object.assign(world, { renders: [], told: [], caught: [], state: undefined, definition: undefined });
};

world.inMemory = async () => {
  const rooms = new Rooms();
  const server = memory(echo(rooms));
  world.mountNow("Socket", { url: "ws://localhost/in-memory", options: { WebSocket: server.WebSocket } });
  const { socket } = world.state;
  const echoed = new Promise<MessageEvent>((resolve) => socket?.addEventListener("message", resolve));
  socket?.send("hello");
  const heard: unknown = (await echoed).data;
  const open = { ...rooms.of("in-memory") };
  world.unmount();
  await server.settled();
  return [heard, open, rooms.of("in-memory")];
};

world.outcome = (promise) =>
  promise.catch((error: Error & { readonly code?: unknown }) => (typeof error.code === "string" ? error.code : error.name));

world.edit = (name) => {
  const before = components[name as keyof typeof components] as (props: object) => ReactNode;
  refresh?.register((props: object) => before(props), name);
  refresh?.performReactRefresh();
};
