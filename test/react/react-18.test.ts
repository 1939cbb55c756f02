import { battery } from "./battery.ts";

battery(18);
