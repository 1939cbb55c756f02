/** What TypeScript infers and refuses where the hooks are used. Compiled, never run. */
import type { ClientSendResult, ReconnectingWebSocket, Status } from "edgewire/client";
import { defineMessages, messageClient, presence } from "edgewire/messages";
import { useMessage, useMessages, usePresence, useRequest, useSocket, useStream } from "edgewire/react";
import type { MessagesState, PresentState, SocketState } from "edgewire/react";
import { z } from "zod";
import { expectTypeOf } from "vitest";

const state = useSocket("/lobby");
expectTypeOf(state).toEqualTypeOf<SocketState>();
expectTypeOf(state.socket).toEqualTypeOf<ReconnectingWebSocket | undefined>();
expectTypeOf(state.status).toEqualTypeOf<Status>();
expectTypeOf(state.retryAt).toEqualTypeOf<number | undefined>();
expectTypeOf(state.latency).toEqualTypeOf<number | undefined>();
expectTypeOf(state.send("text")).toEqualTypeOf<ClientSendResult>();
useSocket(null);
useSocket(undefined, { protocols: "chat", heartbeat: 0 });
useSocket(async () => new URL("wss://server.example/"), { protocols: () => ["chat"], signal: AbortSignal.timeout(1000), WebSocket });

// @ts-expect-error: an unknown option.
useSocket("/lobby", { protocol: "chat" });
// @ts-expect-error: an option of the wrong type.
useSocket("/lobby", { firstDelay: "1 s" });
// @ts-expect-error: no address.
useSocket(42);
// @ts-expect-error: read-only.
state.status = "open";
// @ts-expect-error: an object.
state.send({ text: "hello" });

const messages = defineMessages({
  toServer: { say: z.object({ text: z.string() }), leave: z.undefined() },
  toClient: {
    said: z.object({ from: z.string(), at: z.string().transform((text) => new Date(text)) }),
    confirm: { payload: z.string(), result: z.boolean() },
  },
  requests: {
    history: { payload: z.object({ last: z.int() }), result: z.array(z.string()) },
    time: { payload: z.undefined(), result: z.number() },
    tokens: { payload: z.string(), item: z.string() },
  },
});

const chat = useMessages(messages, "/lobby", { maxDelay: 5000 });
expectTypeOf(chat).toEqualTypeOf<MessagesState<typeof messages>>();
const { client, send } = chat;
expectTypeOf(send("say", { text: "hello" })).toEqualTypeOf<ClientSendResult>();
expectTypeOf(send("leave")).toEqualTypeOf<ClientSendResult>();
// @ts-expect-error: a name that is not in the definition.
send("shout", { text: "hello" });
// @ts-expect-error: another payload than the schema's.
send("say", { text: 1 });
// @ts-expect-error: no definition.
useMessages({}, "/lobby");

useMessage(client, "said", (payload) => expectTypeOf(payload).toEqualTypeOf<{ from: string; at: Date }>());
// Of any other client, over any socket.
useMessage(messageClient(messages, new WebSocket("wss://server.example/")), "said", ({ from }) => void from);
// @ts-expect-error: a name that is not in the definition.
useMessage(client, "shouted", () => {});
// @ts-expect-error: a request, which is answered and not only heard.
useMessage(client, "confirm", () => {});
// @ts-expect-error: a listener for another payload.
useMessage(client, "said", (payload: string) => void payload);

const history = useRequest(client, "history");
expectTypeOf(history.data).toEqualTypeOf<string[] | undefined>();
expectTypeOf(history.error).toEqualTypeOf<Error | undefined>();
expectTypeOf(history.pending).toEqualTypeOf<boolean>();
expectTypeOf(history.run({ last: 10 })).toEqualTypeOf<Promise<string[]>>();
void history.run({ last: 10 }, { deadline: 5000 });
void useRequest(client, "time").run();
void useRequest(client, "time").run(undefined, { deadline: 5000 });
// @ts-expect-error: a name that is not in the definition.
useRequest(client, "future");
// @ts-expect-error: a stream.
useRequest(client, "tokens");
// @ts-expect-error: no payload.
void history.run();
// @ts-expect-error: another payload than the schema's.
void history.run({ last: "10" });
// @ts-expect-error: the hook has a signal of its own.
void history.run({ last: 10 }, { signal: AbortSignal.timeout(1000) });

const tokens = useStream(client, "tokens");
expectTypeOf(tokens.items).toEqualTypeOf<readonly string[]>();
expectTypeOf(tokens.run("prompt")).toEqualTypeOf<Promise<void>>();
void tokens.run("prompt", { deadline: 5000, window: 10, keep: 100 });
// @ts-expect-error: not a stream.
useStream(client, "history");
// @ts-expect-error: another payload than the schema's.
void tokens.run(1);

const present = defineMessages({ presence: presence(z.object({ typing: z.boolean() })) });
const people = usePresence(useMessages(present, "/lobby").client, "people");
expectTypeOf(people).toEqualTypeOf<PresentState<{ typing: boolean }>>();
for (const { id, state: member } of people.members) expectTypeOf([id, member.typing]).toEqualTypeOf<(string | boolean)[]>();
// @ts-expect-error: a definition without presence.
usePresence(client, "people");
// @ts-expect-error: no topic.
usePresence(useMessages(present, "/lobby").client);
