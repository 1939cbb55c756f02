/** Pictures in the conversation, and the dialog that shows them at full size. */
import { find, make } from "./dom.ts";

const viewer = find("viewer", HTMLDialogElement);
const large = find("viewer-image", HTMLImageElement);

viewer.addEventListener("click", ({ target }) => target === viewer && viewer.close());
viewer.addEventListener("close", () => large.removeAttribute("src"));
find("viewer-close", HTMLButtonElement).addEventListener("click", () => viewer.close());

export function pictureButton(url: string, description: string): HTMLButtonElement {
  const image = make("img", { src: url, alt: description });
  const button = make("button", { type: "button", class: "picture", title: "Show full size" }, image);
  image.addEventListener("error", () => button.replaceWith(make("p", { class: "bubble" }, `${description}: it can't be shown.`)));
  button.addEventListener("click", () => {
    large.src = url;
    large.alt = description;
    viewer.showModal();
  });
  return button;
}
