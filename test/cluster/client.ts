/** A client with delivery in the simulation, and the socket between it and a node. */
import { DeliveryCore } from "../../src/delivery/client/core.ts";
import type { Checker } from "./checker.ts";

export interface Link {
  readonly node: string;
  readonly toServer: string[];
  readonly toClient: string[];
  /** What each side knows of the cut. */
  serverOpen: boolean;
  clientOpen: boolean;
}

export class Client {
  readonly index: number;
  readonly core: DeliveryCore;
  link: Link | undefined;
  paused = false;
  /** It does not come back before. */
  asleepUntil = 0;
  sent = 0;

  constructor(index: number, checker: Checker) {
    this.index = index;
    this.core = new DeliveryCore(
      {
        send: (data) => void this.link?.toServer.push(data as string),
        message: (data) => checker.received(index, String(data)),
        gap: ({ topic, why }) => checker.gap(index, topic, why),
        uncertain: ({ given }) => checker.uncertain(String(given)),
        interrupted: () => {},
        live: () => {},
      },
      1000,
      100_000,
    );
  }

  say(checker: Checker): void {
    const text = `${this.index}:${++this.sent}`;
    const settle = (fate: "acknowledged" | "uncertain" | "refused"): void => checker.settled(text, fate);
    if (this.core.outgoing.add({ given: text, data: text, size: text.length, settle })) checker.said(text);
    this.core.pump();
  }

  lost(): void {
    if (this.link !== undefined) this.link.clientOpen = false;
    this.link = undefined;
    this.core.lost();
  }
}
