/** `crypto.randomUUID`, which is missing in the sandbox: it has no origin, and so is no secure context. */
export function provideRandomUUID(): void {
  crypto.randomUUID ??= randomUUID;
}

function randomUUID(): ReturnType<typeof crypto.randomUUID> {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-") as ReturnType<typeof crypto.randomUUID>;
}
