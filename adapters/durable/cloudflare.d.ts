/** The part of workerd's module that index.ts uses. Not published. */
declare module "cloudflare:workers" {
  export class DurableObject {
    constructor(ctx: object, env: unknown);
    protected ctx: object;
    protected env: unknown;
  }
}
