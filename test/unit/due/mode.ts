/** Runs the tests of alarms and histories for a runtime that keeps appointments too. */
import type { Appointments, Store } from "../../../src/ports.ts";
import { MemoryAppointments } from "./machine.ts";

export const mode = { appointments: false };

const all = new WeakMap<Store, MemoryAppointments>();

/** The appointments of a runtime with one room, whose store this is. */
export function appointmentsOf(store: Store): { readonly appointments?: Appointments } {
  if (!mode.appointments) return {};
  const appointments = all.get(store) ?? new MemoryAppointments();
  all.set(store, appointments);
  return { appointments };
}
