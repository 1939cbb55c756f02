/** The backplane in memory does what the port promises. */
import { MemoryBackplane } from "../../src/cluster/memory/index.ts";
import { describeBackplane } from "./suite.ts";

describeBackplane("memory", async () => {
  const backplane = new MemoryBackplane({ lease: 60_000 });
  return {
    backplanes: [backplane, backplane],
    async lapse(room, node) {
      const known = backplane.roomOf(room).state.nodes.get(node);
      if (known !== undefined) known.until = -1;
    },
    async lapseClaim(room, name) {
      const lane = backplane.roomOf(room).state.kept.lanes.get(name);
      if (lane?.claim !== undefined) lane.claim = { ...lane.claim, until: -1 };
    },
    async evict(room, topic) {
      backplane.roomOf(room).state.logs.delete(topic);
    },
    async close() {},
  };
});
