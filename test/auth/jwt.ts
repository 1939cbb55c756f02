/** JSON Web Tokens as an issuer makes them, right and wrong ones. */
import { createHmac } from "node:crypto";

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

export function jwt(claims: unknown, key: string, header: unknown = { alg: "HS256", typ: "JWT" }): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}

/** The same, unsigned, as an attacker would want it to be taken. */
export function unsigned(claims: unknown): string {
  return `${encode({ alg: "none" })}.${encode(claims)}.`;
}
