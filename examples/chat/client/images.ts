/**
 * Converts a file to a supported image that fits in one message. PNG and GIF are sent unchanged if they fit. Everything else is redrawn, which also
 * removes the location of a photograph.
 */

/** The server's default limit is 1 MiB for a message, and base64 turns three bytes into four. */
const mostBytes = 750_000;
const longestSide = 1_920;
const readable = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];
export const accept: string = readable.join(",");

/** Returns the image to send. Rejects with an `Error` whose message can be shown to the user. */
export async function prepare(file: File): Promise<Blob> {
  if (!readable.includes(file.type)) throw new Error("Only images can be sent: PNG, JPEG, GIF, WebP or AVIF.");
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error("This image can't be read. The file may be damaged.");
  });
  try {
    if ((file.type === "image/png" || file.type === "image/gif") && file.size <= mostBytes) return file;
    return await shrink(bitmap);
  } finally {
    bitmap.close();
  }
}

/** Reduces the quality, then the size, until the image fits. */
async function shrink(bitmap: ImageBitmap): Promise<Blob> {
  let scale = Math.min(1, longestSide / Math.max(bitmap.width, bitmap.height));
  for (; ; scale *= 0.7) {
    for (const quality of [0.85, 0.7]) {
      const image = await draw(bitmap, scale, quality);
      if (image.size <= mostBytes) return image;
    }
  }
}

async function draw(bitmap: ImageBitmap, scale: number, quality: number): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("This browser can't prepare pictures.");
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const webp = await encode(canvas, "image/webp", quality);
  if (webp.type === "image/webp") return webp;
  // A browser that can't write WebP returns PNG, which would not shrink. JPEG has no transparency, so it gets a white background.
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  return encode(canvas, "image/jpeg", quality);
}

function encode(canvas: HTMLCanvasElement, type: string, quality: number): Promise<Blob> {
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob === null ? reject(new Error("This image is too large to be prepared.")) : resolve(blob)), type, quality),
  );
}
