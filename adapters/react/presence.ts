import { useCallback, useMemo, useSyncExternalStore } from "react";
import type { MessageClient } from "../../src/messages/client.ts";
import type { AnyMessages } from "../../src/messages/define.ts";
import type { PresenceState, PresentMember } from "../../src/messages/topics/presence-list.ts";

/** A new object, with a new list, when a member has changed; the same one otherwise. */
export interface PresentState<State> {
  /** In the order in which they came. */
  readonly members: readonly PresentMember<State>[];
  /** Whether that is what the server last sent. While disconnected, and until the server has sent the members again, they are the last known. */
  readonly current: boolean;
}

/**
 * Who is in the room, live: the members of a topic of the server's `messages.presence(topic)`.
 *
 * ```tsx
 * const { members } = usePresence(client, "people");
 * <ul>{members.map(({ id, state }) => <li key={id}>{state.name}</li>)}</ul>
 * ```
 * @throws TypeError for an invalid topic, or if the definition has no `presence`.
 */
export function usePresence<Given extends AnyMessages>(
  client: MessageClient<Given> | undefined,
  topic: Given["presenceDefinition"] extends undefined ? never : string,
): PresentState<PresenceState<Given>> {
  const list = client?.presence(topic);
  const subscribe = useCallback((notify: () => void) => list?.on("change", notify) ?? (() => {}), [list]);
  const members = useSyncExternalStore(
    subscribe,
    () => list?.members,
    () => undefined,
  );
  const current = useSyncExternalStore(
    subscribe,
    () => !!list?.current,
    () => false,
  );
  return useMemo(() => ({ members: [...(members?.values() ?? [])], current }), [members, current]);
}
