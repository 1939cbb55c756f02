/** workerd's profiler, through the inspector protocol. */
export interface Inspector {
  /** Starts sampling. The returned function stops it and returns the profile as JSON. */
  start(): Promise<() => Promise<string>>;
}

/** Connects to the only Worker of that inspector. */
export async function inspect(port: number): Promise<Inspector> {
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as readonly { readonly webSocketDebuggerUrl: string }[];
  const address = targets[0]?.webSocketDebuggerUrl;
  if (address === undefined) throw new Error("workerd's inspector lists no Worker");
  const socket = new WebSocket(address);
  const answers = new Map<number, PromiseWithResolvers<object>>();
  const opened = Promise.withResolvers<void>();
  socket.onopen = () => opened.resolve();
  socket.onerror = () => opened.reject(new Error(`workerd's inspector can't be reached at ${address}`));
  socket.onmessage = ({ data }) => {
    const { id, result, error } = JSON.parse(String(data)) as { id?: number; result?: object; error?: { message: string } };
    if (id === undefined) return;
    if (error === undefined) answers.get(id)?.resolve(result ?? {});
    else answers.get(id)?.reject(new Error(error.message));
  };
  await opened.promise;
  const call = (method: string): Promise<object> => {
    const answer = Promise.withResolvers<object>();
    const id = answers.size + 1;
    answers.set(id, answer);
    socket.send(JSON.stringify({ id, method, params: {} }));
    return answer.promise;
  };
  return {
    async start() {
      await call("Profiler.enable");
      await call("Profiler.start");
      return async () => {
        const { profile } = (await call("Profiler.stop")) as { profile: object };
        socket.close();
        return JSON.stringify(profile);
      };
    },
  };
}
