import type { Page } from "playwright-core";
import type { Mode, Place, Version } from "../place.ts";

/** Where a case plays. */
export interface Scene {
  readonly version: Version;
  readonly mode: Mode;
  readonly place: Place;
  readonly page: Page;
}
