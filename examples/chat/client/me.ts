/** The user as this browser knows them: the name they chose, and the key that makes all of its tabs one person. */

/** A number that nobody can guess, in hexadecimal. `crypto.randomUUID` is missing on pages that came over http: from another machine. */
export function random(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function myKey(): string {
  const key = localStorage.getItem("key") ?? random();
  localStorage.setItem("key", key);
  return key;
}

export function myName(): string {
  return localStorage.getItem("name") ?? "";
}

export function setMyName(name: string): void {
  localStorage.setItem("name", name);
}
