/** What a `messageClient` is told over a socket with delivery. */
import type { ClientEventSource } from "../../client/events.ts";
import type { CarriedMessages, DeliveryEvents } from "./types.ts";

type Source = ClientEventSource<DeliveryEvents> & { reads(topic: string): boolean };

/** With a connection alone nothing is lost but changes of topics without a history. */
export function carry(socket: Source, { presence, answers, exchanges, gap }: CarriedMessages): void {
  const interrupted = (): void => {
    answers.lost();
    exchanges.lost(true);
  };
  socket.addEventListener("disconnect", () => presence?.lost((topic) => socket.reads(topic)));
  socket.addEventListener("interrupted", ({ resumed }) => {
    if (!resumed) presence?.lost();
    interrupted();
  });
  socket.addEventListener("gap", ({ topic, position }) => {
    presence?.lost((other) => topic !== undefined && topic !== other);
    // Answers may be among what is gone.
    if (topic === undefined) interrupted();
    else gap({ topic, position });
  });
}
