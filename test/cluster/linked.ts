/** A server's own connection to a backplane in memory, which a test cuts: then nothing that the server asks ends, and it hears nothing. */
import { clustered, type Backplane, type ClusterOptions, type MemoryBackplane } from "edgewire/cluster";

export interface Link {
  isCut: boolean;
}

export function linked(backplane: MemoryBackplane, link: Link, options: ClusterOptions): ReturnType<typeof clustered> {
  const gate = <Method extends (...args: never[]) => Promise<unknown>>(run: Method): Method =>
    ((...args: never[]) => (link.isCut ? new Promise(() => {}) : run(...args))) as unknown as Method;
  const gated = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        return typeof method === "function" ? gate(method.bind(target) as () => Promise<unknown>) : method;
      },
    });
  const port: Backplane = {
    due: gated(backplane.due),
    kept(room, server) {
      const { values, tasks, ask } = backplane.kept(room, server);
      return { values, tasks: gated(tasks), ask };
    },
    mailbox: (server, heard) => gated(backplane.mailbox(server, (text) => void (link.isCut || heard(text)))),
    room(name, node, receiver) {
      const told =
        <Told>(tell: (what: Told) => void): ((what: Told) => void) =>
        (what) =>
          void (link.isCut || tell(what));
      const inner = backplane.room(name, node, {
        frame: told((frame) => receiver.frame(frame)),
        notice: told((frame) => receiver.notice(frame)),
        cut: () => receiver.cut(),
      });
      return {
        subscribe: gate(() => inner.subscribe()),
        join: gate((joining: Parameters<typeof inner.join>[0]) => inner.join(joining)),
        page: gate((topic: string, after: string | undefined, limit: number) => inner.page(topic, after, limit)),
        turns: gate((batch: Parameters<typeof inner.turns>[0]) => inner.turns(batch)),
        report: gate((report: Parameters<typeof inner.report>[0]) => inner.report(report)),
        own: gate((asked: Parameters<typeof inner.own>[0]) => inner.own(asked)),
        leave: gate(() => inner.leave()),
      };
    },
  };
  return clustered(port, options);
}
