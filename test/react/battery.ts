/** What the hooks do in Chromium, alike with each version of React, in development under StrictMode and in production. */
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { executablePath } from "../support/chromium.ts";
import { messageCases } from "./cases/messages.ts";
import { presenceCases } from "./cases/presence.ts";
import type { Scene } from "./cases/scene.ts";
import { socketCases } from "./cases/socket.ts";
import { Place, modes, nothingIsLeft } from "./place.ts";
import type { Version } from "./place.ts";

export function battery(version: Version): void {
  describe.skipIf(executablePath === "")(`React ${version}`, () => {
    let place: Place;
    beforeAll(async () => {
      place = await Place.of(version);
    });
    afterAll(() => place[Symbol.asyncDispose]());

    describe.each(modes)("%s", (mode) => {
      let scene: Scene;
      beforeAll(async () => {
        scene = { version, mode, place, page: await place.page(mode) };
      });
      afterAll(() => scene.page.close());
      afterEach(async () => {
        await scene.page.evaluate(() => world.unmount());
        await nothingIsLeft(scene.page);
        expect(place.complaints.splice(0), "what the console says").toEqual([]);
      });
      socketCases(() => scene);
      messageCases(() => scene);
      presenceCases(() => scene);
    });
  });
}
