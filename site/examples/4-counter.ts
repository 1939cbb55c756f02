// What survives hibernation
import { defineHandler } from "edgewire";

let inMemory = 0; // gone after each hibernation

export default defineHandler({
  upgrade: () => ({ room: "lobby", state: { mine: 0 } }),

  async message(connection) {
    inMemory++;
    const mine = connection.state.mine + 1;
    connection.setState({ mine });
    const ours = await connection.room.storage.update<number>("ours", (count = 0) => count + 1);
    connection.send(`in memory ${inMemory}, of this connection ${mine}, of the room ${ours}`);
  },
});
