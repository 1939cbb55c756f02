/** partyserver with hibernation. `broadcast` sends to everyone in the room except the given connections. */
import { Server, getServerByName, type Connection, type WSMessage } from "partyserver";

declare const MODE: string;
interface Env {
  readonly ROOM: Parameters<typeof getServerByName>[0];
}

export class Room extends Server {
  static override options = { hibernate: true };

  override onMessage(connection: Connection, message: WSMessage): void {
    if (MODE === "fanout") this.broadcast(message, [connection.id]);
    else connection.send(message as string | ArrayBuffer);
  }
}

export default {
  fetch: async (request: Request, { ROOM }: Env): Promise<unknown> => (await getServerByName(ROOM, "room")).fetch(request as never),
};
