/** What workerd itself provides, as far as index.ts uses it; not published. */
declare module "cloudflare:workers" {
  export class DurableObject {
    constructor(ctx: object, env: unknown);
    protected ctx: object;
    protected env: unknown;
  }
}
