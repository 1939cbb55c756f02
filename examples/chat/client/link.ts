/** A WebSocket that comes back: connects, says how it stands, waits, and tries again until it is refused or closed. */
import { backoff } from "./backoff.ts";

export type Status =
  | { readonly state: "connecting"; readonly again: boolean }
  | { readonly state: "online"; readonly again: boolean }
  | { readonly state: "waiting"; readonly until: number }
  | { readonly state: "refused"; readonly reason: string };

export interface Link {
  /** Sends, or returns false: this connection is not open, or it is given up now. */
  send(data: string | Blob): boolean;
  /** Bytes that have not left the page yet. */
  readonly buffered: number;
  /** Tries now instead of later. */
  retry(): void;
  /** Gives up a connection that does not answer, and makes a new one. */
  drop(): void;
  close(): void;
}

export interface LinkOptions {
  readonly url: string;
  /** Why the server would refuse us, or undefined; may reject when it can't be asked. */
  readonly refusal: () => Promise<string | undefined>;
  readonly onStatus: (status: Status) => void;
  readonly onMessage: (data: string | ArrayBuffer) => void;
}

/** An attempt that takes longer has failed. */
const connectTimeout = 10_000;
/** A connection that lasted this long was a good one: after it, waiting starts from the beginning. */
const goodAfter = 5_000;

export function openLink({ url, refusal, onStatus, onMessage }: LinkOptions): Link {
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  let again = false;
  let status: Status;
  const listening = new AbortController();

  const set = (next: Status): void => onStatus((status = next));

  function connect(): void {
    clearTimeout(timer);
    const mine = new WebSocket(url);
    let openedAt: number | undefined;
    mine.binaryType = "arraybuffer";
    socket = mine;
    timer = setTimeout(drop, connectTimeout);
    set({ state: "connecting", again });
    mine.onopen = () => {
      clearTimeout(timer);
      openedAt = Date.now();
      set({ state: "online", again });
      again = true;
    };
    mine.onmessage = ({ data }) => onMessage(data as string | ArrayBuffer);
    mine.onclose = () => {
      if (openedAt !== undefined && Date.now() - openedAt > goodAfter) attempt = 0;
      lost(mine, openedAt === undefined);
    };
  }

  /** Waits for the next attempt, unless the server says that there is no use. */
  function lost(mine: WebSocket, refused: boolean): void {
    if (socket !== mine) return;
    clearTimeout(timer);
    socket = undefined;
    if (!refused) return wait();
    refusal().then(
      (reason) => {
        if (listening.signal.aborted || socket !== undefined) return;
        if (reason === undefined) wait();
        else set({ state: "refused", reason });
      },
      () => socket ?? wait(),
    );
  }

  function wait(): void {
    if (listening.signal.aborted) return;
    again = true;
    const delay = backoff(attempt++);
    timer = setTimeout(connect, delay);
    set({ state: "waiting", until: Date.now() + delay });
  }

  function retry(): void {
    if (status.state === "waiting") connect();
  }

  function drop(): void {
    const mine = socket;
    if (mine === undefined) return;
    // A dead connection answers no close: its close event would be a long time coming.
    mine.onopen = mine.onmessage = mine.onclose = null;
    mine.close();
    lost(mine, false);
  }

  addEventListener("online", retry, listening);
  addEventListener("offline", drop, listening);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && retry(), listening);
  connect();

  return {
    send(data) {
      if (socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(data);
      return true;
    },
    get buffered() {
      return socket?.bufferedAmount ?? 0;
    },
    retry,
    drop,
    close() {
      listening.abort();
      clearTimeout(timer);
      const mine = socket;
      socket = undefined;
      mine?.close(1000);
    },
  };
}
