/**
 * An assistant that answers a few words at a time: one handler for Cloudflare, Deno, Bun and Node. Its messages are defined in messages.ts.
 *
 * A room is a conversation. Its questions are one topic, each answer is another, and both keep a history: a device that comes later reads an answer from
 * its beginning while it is still growing. With delivery a device that was cut off goes on where it was.
 *
 * An answer belongs to its conversation, not to the connection that asked, which may never come back. So `ask` only keeps the question and schedules
 * the writing, both in one turn, with what tells the client that its message was taken: all of it is stored or none of it. The writing is done by a
 * call of the room, in slices of two seconds. A scheduled call is kept until its slice has ended, so it runs again where the process was killed, or the
 * object was evicted, in the middle of it. What it goes by is the answer's log alone: it reads how far the text is, and goes on from there. It looks before
 * each part, and looking and publishing are one turn, so no part is written twice, whoever else should write.
 */
import { defineHandler } from "edgewire";
import type { LocalRoom } from "edgewire";
import { delivery } from "edgewire/delivery";
import { MessageError, messageHandler } from "edgewire/messages";
import { messages } from "./messages.ts";
import { answer } from "./model.ts";

/** Milliseconds of writing in one scheduled call, which may take ten seconds. Two questions of one conversation take turns. */
const slice = 2000;
const mostUnanswered = 5;
const day = 24 * 3600;

const questions = "questions";
const answerOf = (id: string): string => `answer:${id}`;

export const assistant = defineHandler(
  messageHandler(messages, {
    binding: "ROOM",

    delivery: delivery(),

    history(topic) {
      if (topic === questions) return { messages: 40, seconds: 7 * day };
      // A day longer than its question, which is asked for it.
      return topic.startsWith("answer:") ? { messages: 2000, bytes: 256 * 1024, seconds: 8 * day } : undefined;
    },

    // Whoever knows the conversation's name may take part in it. A real application checks who is asking, and returns that as `subject`.
    upgrade(request) {
      const room = new URL(request.url).searchParams.get("conversation") ?? "";
      return /^[\w-]{1,64}$/.test(room) ? { room } : new Response("A conversation's name is 1 to 64 letters or digits.", { status: 400 });
    },

    // Not for a client that comes back: its subscriptions are as it left them.
    open: (connection) => void connection.subscribe(questions, { history: true }),

    messages: {
      follow: (connection, { id }) => void connection.subscribe(answerOf(id), { history: true }),
      leave: (connection, { id }) => void connection.unsubscribe(answerOf(id)),
      cancel({ room }, { id }) {
        if (isAsked(room, id) && !readAnswer(room, id).isDone) messages.publish(room, answerOf(id), "done", { id, why: "cancelled" });
      },
    },

    requests: {
      ask({ room }, { id, prompt }) {
        // A client that was told by nobody whether it had arrived asks again.
        if (isAsked(room, id)) return;
        if (room.scheduled().length >= mostUnanswered) throw new MessageError("busy", "Wait for the answers to your other questions.");
        messages.publish(room, questions, "asked", { id, prompt });
        room.schedule(Date.now(), "write", id, prompt);
      },
    },

    calls: {
      async write(room, id: string, prompt: string) {
        const until = Date.now() + slice;
        for await (const text of answer(prompt, readAnswer(room, id).text)) {
          const { text: before, isDone } = readAnswer(room, id);
          if (isDone) return;
          messages.publish(room, answerOf(id), "part", { id, at: before.length, text });
          if (Date.now() >= until) return void room.schedule(Date.now(), "write", id, prompt);
        }
        if (!readAnswer(room, id).isDone) messages.publish(room, answerOf(id), "done", { id, why: "end" });
      },
    },
  }),
);

function isAsked(room: LocalRoom, id: string): boolean {
  return room.history(questions).entries.some(({ data }) => frameOf(data).payload.id === id);
}

function readAnswer(room: LocalRoom, id: string): { readonly text: string; readonly isDone: boolean } {
  const frames = room.history(answerOf(id)).entries.map(({ data }) => frameOf(data));
  return {
    text: frames.map(({ payload }) => payload.text ?? "").join(""),
    isDone: frames.at(-1)?.name === "done",
  };
}

/** What `messages.publish` has made: docs/PROTOCOL.md. */
function frameOf(data: string | Uint8Array): Frame {
  return JSON.parse(String(data)) as Frame;
}

interface Frame {
  readonly name: string;
  readonly payload: { readonly id: string; readonly text?: string };
}
