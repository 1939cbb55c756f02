// What survives hibernation
import { defineHandler } from "edgewire";

let inMemory = 0; // gone after each hibernation

export default defineHandler({
  upgrade: () => ({ room: "lobby", state: { mine: 0 } }),

  async message(connection) {
    inMemory++;
    const mine = connection.state.mine + 1;
    connection.setState({ mine });
    const { storage } = connection.room;
    const ours = await storage.update<number>("ours", (n = 0) => n + 1);
    connection.send(`memory ${inMemory}, mine ${mine}, ours ${ours}`);
  },
});
