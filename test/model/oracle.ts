/**
 * What a sequence must do, from nothing but lists: who is in a room, and which topics each has. It shares no line with the
 * product, so that the in-process runtime, the model of all the others, is not its own judge.
 */
import type { Step as ScriptStep, Script } from "../support/script.ts";
import {
  byteLength,
  dataOf,
  maxPayload,
  pick,
  speech,
  valueOf,
  type Action,
  type Message,
  type RoomName,
  type Sequence,
} from "./sequence.ts";
import {
  bySpeaker,
  closeHookLine,
  closeLine,
  didLine,
  inspectLine,
  leftLine,
  messageLine,
  threwLine,
  type Step,
  type Trace,
} from "./trace.ts";

interface Member {
  readonly number: number;
  readonly kind: "run" | "echo" | "slow";
  readonly room: RoomName;
  readonly close: Script;
  topics: string[];
  state: unknown;
  phase: "open" | "closing" | "closed";
  ended: boolean;
  received: string[];
  hooks: string[];
  /** What the close hook will be told. */
  closing?: { code: number; reason: string; initiator: "client" | "server" | "network" };
  /** What the client sees of its end. */
  last: string[];
}

/** The lines of a trace that the oracle knows: all that is received, each step of a script, and the close hook. */
export function known(trace: Trace): Trace {
  const hooks = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith("did ") || line.startsWith("hook close"));
  return trace.map((step) => ({ ...step, views: step.views.map((view) => ({ received: view.received, hooks: hooks(view.hooks) })) }));
}

export function predict(sequence: Sequence): Trace {
  const oracle = new Oracle(sequence.on);
  const steps = sequence.actions.map((action) => oracle.step(action));
  for (const action of oracle.farewells()) steps.push(oracle.step(action));
  return steps;
}

class Oracle {
  readonly #limit: number;
  readonly #members: Member[] = [];

  constructor(on: Sequence["on"]) {
    this.#limit = maxPayload[on];
  }

  /** Everyone who is left leaves, one after the other. */
  farewells(): Action[] {
    return this.#there().map(() => ({ do: "leave", who: 0, last: [], code: 1000 }));
  }

  step(action: Action): Step {
    for (const member of this.#members) [member.received, member.hooks] = [[], []];
    const result = this.#act(action);
    for (const member of this.#members) this.#finish(member);
    const order = action.do === "burst" ? bySpeaker : (lines: string[]): string[] => lines;
    return { action, result, views: this.#members.map(({ received, hooks }) => ({ received: order(received), hooks })) };
  }

  #act(action: Action): number | undefined {
    switch (action.do) {
      case "connect":
        return this.#connect(action);
      case "tell":
        return this.#deliver(pick(action.who, this.#there("run")), action.messages);
      case "send":
        return this.#deliver(pick(action.who, this.#there(action.to)), action.values);
      case "burst": {
        const speakers = new Map(action.speakers.map((speaker) => [pick(speaker.who, this.#there("run")), speaker]));
        for (const [member, speaker] of speakers) this.#deliver(member, speech(String(member?.number), action.topic, speaker));
        for (let nth = 0; nth < action.outside; nth++) this.#spread("a", `out/${nth}`, action.topic);
        return undefined;
      }
      case "leave": {
        const member = pick(action.who, this.#there());
        if (member === undefined) return undefined;
        if (member.kind === "run") this.#deliver(member, action.last);
        const code = action.code ?? 1005;
        this.#end(member, { code, reason: action.reason ?? "", initiator: "client" }, [leftLine(code), "end"]);
        member.phase = "closed";
        return undefined;
      }
      case "lose": {
        const member = pick(action.who, this.#there());
        if (member === undefined) return undefined;
        if (member.kind === "run" && action.during !== null) this.#deliver(member, [action.during]);
        this.#end(member, { code: 1006, reason: "", initiator: "network" }, ["end"]);
        member.phase = "closed";
        return undefined;
      }
      case "publish":
        return this.#spread(action.room, action.text, action.topic, this.#except(action.except));
      case "broadcast":
        return this.#spread(action.room, action.text, undefined, this.#except(action.except));
      case "count":
        return this.#inRoom(action.room).length;
      case "evict":
        return undefined;
    }
  }

  #connect({ kind, room, state, open, close, first }: Action & { do: "connect" }): undefined {
    const member: Member = {
      number: this.#members.length + 1,
      kind,
      room,
      close,
      topics: [],
      state: state ?? undefined,
      phase: "open",
      ended: false,
      received: [],
      hooks: [],
      last: [],
    };
    this.#members.push(member);
    this.#run(member, open, "");
    this.#deliver(member, first);
  }

  #deliver(member: Member | undefined, messages: readonly Message[]): undefined {
    if (member === undefined) return;
    for (const message of messages) {
      if (member.phase !== "open") return;
      const data = dataOf(message);
      if (byteLength(data) > this.#limit) this.#closeFrom(member, 1009, "");
      else if (member.kind === "run") this.#run(member, message as Script, data);
      else this.#run(member, [["echo"]], data);
    }
  }

  #run(member: Member, script: Script, data: string | Uint8Array): void {
    for (const step of script) {
      if (step[0] === "sleep") continue;
      if (step[0] === "throw" || step[0] === "reject") return this.#closeFrom(member, 1011, "Internal error");
      if (step[0] === "repeat") for (let round = 0; round < step[1]; round++) this.#run(member, step[2], data);
      else member.hooks.push(this.#do(member, step, data));
    }
  }

  /** One step, and its line in the log. */
  #do(member: Member, step: ScriptStep, data: string | Uint8Array): string {
    const { room, phase, state, topics } = member;
    switch (step[0]) {
      case "echo":
        return didLine("echo", this.#send(member, data));
      case "send":
        try {
          return didLine("send", this.#send(member, valueOf(step[1])));
        } catch {
          return threwLine("send", "TypeError");
        }
      case "close": {
        const [, code = 1000, reason = ""] = step;
        const sendable = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
        if (!sendable || byteLength(reason) > 123) return threwLine("close", "RangeError");
        this.#closeFrom(member, code, reason);
        return didLine("close", undefined);
      }
      case "terminate":
        this.#end(member, { code: 1006, reason: "", initiator: "server" }, ["end"]);
        if (member.closing?.code === 1006) member.phase = "closed";
        return didLine("terminate", undefined);
      case "setState":
        if (typeof step[1] === "string" && step[1].length > 65_536) return threwLine("setState", "RangeError");
        member.state = step[1];
        return didLine("setState", undefined);
      case "subscribe":
        if (step[1] === "") return threwLine("subscribe", "TypeError");
        if (phase === "open" && !topics.includes(step[1])) topics.push(step[1]);
        return didLine("subscribe", undefined);
      case "unsubscribe":
        member.topics = topics.filter((name) => name !== step[1]);
        return didLine("unsubscribe", undefined);
      case "publish":
        try {
          return didLine("publish", this.#spread(room, valueOf(step[2]), step[1], member));
        } catch {
          return threwLine("publish", "TypeError");
        }
      case "peers":
        return didLine(
          "peers",
          this.#inRoom(room).map(({ number }) => number),
        );
      case "inspect":
        return inspectLine({ room, phase, state, topics });
      default:
        throw new Error(`the oracle knows no ${step[0]}`);
    }
  }

  #send(member: Member, data: string | Uint8Array): string {
    if (member.phase !== "open") return "closed";
    member.received.push(messageLine(data));
    return "sent";
  }

  #spread(room: RoomName, data: string | Uint8Array, topic?: string, except?: Member): number {
    const targets = this.#inRoom(room).filter((member) => member !== except && (topic === undefined || member.topics.includes(topic)));
    for (const target of targets) this.#send(target, data);
    return targets.length;
  }

  #closeFrom(member: Member, code: number, reason: string): void {
    this.#end(member, { code, reason, initiator: "server" }, [closeLine(code, reason), "end"]);
  }

  #end(member: Member, closing: NonNullable<Member["closing"]>, last: string[]): void {
    if (member.phase !== "open") return;
    Object.assign(member, { phase: "closing", closing, last });
  }

  /** The close hook, when all that came before it is done. */
  #finish(member: Member): void {
    if (member.closing === undefined || member.ended) return;
    member.ended = true;
    member.phase = "closed";
    member.received.push(...member.last);
    member.hooks.push(closeHookLine(member.closing));
    this.#run(member, member.close, "");
  }

  #there(kind?: Member["kind"]): Member[] {
    return this.#members.filter((member) => member.phase === "open" && (kind === undefined || member.kind === kind));
  }

  #inRoom(room: RoomName): Member[] {
    return this.#there().filter((member) => member.room === room);
  }

  #except(who: number | undefined): Member | undefined {
    return who === undefined ? undefined : pick(who, this.#there());
  }
}
