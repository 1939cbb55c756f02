/** People send pictures. */
import { expect, test } from "vitest";
import { chat, png } from "./chat.ts";
import type { Person } from "./person.ts";

chat((here) => {
  test("pictures", async () => {
    const { ada, grace } = here;
    await ada.page.getByLabel("Picture file").setInputFiles({ name: "small.png", mimeType: "image/png", buffer: png });
    await ada.page.getByRole("button", { name: "Remove picture" }).waitFor();
    await ada.page.getByRole("button", { name: "Send", exact: true }).click();
    expect(await grace.seesPicture("Ada")).toEqual([3, 2]);
    await ada.sees("You", "Sent");

    await drop(grace, "image/png", 2_400, 1_600);
    await grace.page.getByRole("button", { name: "Remove picture" }).waitFor();
    await grace.composer.press("Enter");
    const [width, height] = await ada.seesPicture("Grace");
    expect(width).toBeLessThanOrEqual(1_920);
    expect(width / height).toBeCloseTo(1.5, 1);

    await ada.page.getByRole("button", { name: "Picture from Grace" }).click();
    await ada.page.getByRole("dialog", { name: "Picture" }).waitFor();
    await ada.page.keyboard.press("Escape");
    await ada.page.getByRole("dialog", { name: "Picture" }).waitFor({ state: "hidden" });

    await ada.page
      .getByLabel("Picture file")
      .setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no picture") });
    await ada.page.getByRole("alert").filter({ hasText: "Only images can be sent" }).waitFor();
  });
});

/** Drops an image of random pixels, which no format makes small, on the page. */
async function drop(person: Person, type: string, width: number, height: number): Promise<void> {
  await person.page.evaluate(`(async () => {
    const canvas = new OffscreenCanvas(${width}, ${height});
    const context = canvas.getContext("2d");
    const image = context.createImageData(${width}, ${height});
    for (let at = 0; at < image.data.length; at += 65536) crypto.getRandomValues(image.data.subarray(at, at + 65536));
    context.putImageData(image, 0, 0);
    const blob = await canvas.convertToBlob({ type: "${type}" });
    if (blob.size <= 1048576) throw new Error("this image is small already");
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([blob], "large", { type: "${type}" }));
    for (const name of ["dragenter", "dragover", "drop"]) document.body.dispatchEvent(new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true }));
  })()`);
}
