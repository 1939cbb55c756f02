/** Deno's own server with its own detection of vanished clients (`idleTimeout`, 30 seconds by default), which Edgewire also uses. */
interface DenoSocket extends EventTarget {
  binaryType: string;
  onopen: () => void;
  onmessage: (event: { data: string | ArrayBuffer }) => void;
  onclose: () => void;
  send(data: string | ArrayBuffer): void;
}
declare const Deno: {
  readonly args: readonly string[];
  serve(options: object, handler: (request: Request) => Response): { readonly addr: { readonly port: number } };
  upgradeWebSocket(request: Request): { socket: DenoSocket; response: Response };
};

const fanout = Deno.args[0] === "fanout";
const subscribers = new Set<DenoSocket>();

const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
  const publisher = request.url.endsWith("/pub");
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.binaryType = "arraybuffer";
  if (!fanout) socket.onmessage = ({ data }) => socket.send(data);
  else if (publisher) {
    socket.onmessage = ({ data }) => {
      for (const subscriber of subscribers) subscriber.send(data);
    };
  } else {
    socket.onopen = () => subscribers.add(socket);
    socket.onclose = () => subscribers.delete(socket);
  }
  return response;
});
console.log(`LISTEN ${server.addr.port}`);
