/** Which topics are read from cursors, by how many. */
import type { TopicView } from "./topic-view.ts";

interface Hold {
  readonly view: TopicView;
  count: number;
}

export class Holds {
  /** By room and topic. */
  readonly #rooms = new Map<string, Map<string, Hold>>();

  has(room: string, topic: string): boolean {
    return this.#get(room, topic) !== undefined;
  }

  /** One view serves all who read the topic. */
  viewOf(room: string, topic: string): TopicView | undefined {
    return this.#get(room, topic)?.view;
  }

  /** @param view makes the view, for the first. */
  add(room: string, topic: string, view: () => TopicView): void {
    const hold = this.#get(room, topic);
    if (hold !== undefined) return void hold.count++;
    const topics = this.#rooms.get(room);
    const first = { view: view(), count: 1 };
    if (topics === undefined) this.#rooms.set(room, new Map([[topic, first]]));
    else topics.set(topic, first);
  }

  /** Returns whether it was the last one. */
  delete(room: string, topic: string): boolean {
    const hold = this.#get(room, topic);
    if (hold === undefined || --hold.count > 0) return false;
    const topics = this.#rooms.get(room);
    topics?.delete(topic);
    if (topics?.size === 0) this.#rooms.delete(room);
    return true;
  }

  #get(room: string, topic: string): Hold | undefined {
    return this.#rooms.get(room)?.get(topic);
  }
}
