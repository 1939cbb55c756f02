import { battery } from "./battery.ts";

battery(19);
