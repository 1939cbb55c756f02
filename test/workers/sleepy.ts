/** A room with a fast heartbeat that writes down when it is made and when its alarm goes off. */
import { defineHandler } from "edgewire";
import { durable, route } from "edgewire/durable";

/** In this isolate, which outlives the objects. */
export const made: string[] = [];
export const alarms: { readonly room: string | undefined; readonly at: number }[] = [];

export const interval = 200;
export const timeout = 200;

const handler = defineHandler({
  binding: "SLEEPY",
  heartbeat: { interval, timeout },
  upgrade: (request) => ({ room: new URL(request.url).pathname.split("/").at(-1) ?? "" }),
  message(connection, data) {
    connection.send(data);
  },
});

export class Sleepy extends durable(handler) {
  constructor(...args: ConstructorParameters<ReturnType<typeof durable>>) {
    super(...args);
    made.push(args[0].id.name ?? "");
  }

  override alarm(): void | PromiseLike<void> {
    alarms.push({ room: this.ctx.id.name, at: Date.now() });
    return super.alarm();
  }
}

export const sleepy = route(handler);
