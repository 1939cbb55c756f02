/** The client with `ws`'s WebSocket. Compiled, never run. */
import { ReconnectingWebSocket } from "edgewire/client";
import { WebSocket } from "ws";

export const socket: ReconnectingWebSocket = new ReconnectingWebSocket("wss://server.example/", [], { WebSocket });
