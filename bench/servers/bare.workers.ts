/** A plain Worker on WebSocketPair. */
interface Half {
  binaryType: string;
  accept(): void;
  send(data: string | ArrayBuffer): void;
  addEventListener(type: "message", listener: (event: { data: string | ArrayBuffer }) => void): void;
}
declare const WebSocketPair: new () => [Half, Half];

export default {
  fetch(): Response {
    const [client, server] = Object.values(new WebSocketPair()) as [Half, Half];
    server.binaryType = "arraybuffer";
    server.accept();
    server.addEventListener("message", ({ data }) => server.send(data));
    return new Response(null, { status: 101, webSocket: client } as ResponseInit);
  },
};
