/** `edgewire/delivery/client`: a socket whose messages arrive once, over however many connections. */
export { DeliverySocket } from "./socket.ts";
