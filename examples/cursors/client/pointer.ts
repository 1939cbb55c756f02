/** Follows the mouse, a finger or a pen over an element, and the arrow keys while it has the focus. */

/** Parts of the element's width and height, from 0 to 1. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** How far an arrow key goes; with Shift five times as far. */
const step = 0.02;

/** @param onMove is called at most once a frame. */
export function watchPointer(element: HTMLElement, onMove: (place: Place) => void): void {
  let place: Place = { x: 0.5, y: 0.5 };
  let frame: number | undefined;

  function moveTo(x: number, y: number): void {
    // Three digits are a pixel of a large screen, and make short messages.
    const within = (part: number): number => Math.round(Math.min(1, Math.max(0, part)) * 1000) / 1000;
    place = { x: within(x), y: within(y) };
    frame ??= requestAnimationFrame(() => {
      frame = undefined;
      onMove(place);
    });
  }

  function follow({ clientX, clientY }: PointerEvent): void {
    const { left, top, width, height } = element.getBoundingClientRect();
    moveTo((clientX - left) / width, (clientY - top) / height);
  }

  element.addEventListener("pointerdown", follow);
  element.addEventListener("pointermove", follow);
  element.addEventListener("keydown", (event) => {
    const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
    if (x === undefined || y === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const far = event.shiftKey ? 5 * step : step;
    moveTo(place.x + x * far, place.y + y * far);
  });
}
