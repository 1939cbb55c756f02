/**
 * Makes a file ready to send: an image that the chat carries, small enough for one message. PNG and GIF go as they are when
 * they fit; everything else is drawn anew, which also leaves behind where a photograph was taken.
 */

/** The server takes 1 MiB a message by default, and base64 makes four bytes of three. */
const mostBytes = 750_000;
const longestSide = 1_920;
const readable = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];
export const accept: string = readable.join(",");

/** Returns the image to send. Rejects with an `Error` whose message is for the person who chose the file. */
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

/** Lowers the quality first, then the size, until it fits. */
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
  // A browser that can't write WebP wrote PNG instead, which would not shrink. JPEG knows no transparency: white behind it.
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
