/** A socket whose server is the test. */
import { msgpack } from "../../adapters/msgpack/index.ts";

export class FakeSocket extends EventTarget {
  declare addEventListener: WebSocket["addEventListener"];
  readyState = 1;
  protocol = "edgewire.json.1";
  binaryType = "blob";
  sent: (string | Uint8Array)[] = [];
  send(data: string | Uint8Array): unknown {
    this.sent.push(data);
    return undefined;
  }
  receives(data: unknown): void {
    this.dispatchEvent(Object.assign(new Event("message"), { data }));
  }
  says(type: string): void {
    this.dispatchEvent(new Event(type));
  }
  get frames(): unknown[] {
    return this.sent.map((data) => (typeof data === "string" ? JSON.parse(data) : msgpack.decode(Uint8Array.from(data))));
  }
}
