/** The playground as its user handles it. */
import type { Locator, Page } from "playwright-core";

export class Stage {
  readonly page: Page;
  readonly problem: Locator;

  constructor(page: Page) {
    this.page = page;
    this.problem = page.locator("#problem");
  }

  /** Replaces the handler, and runs it by keyboard. */
  async runs(code: string): Promise<void> {
    await this.page.getByLabel("Handler", { exact: true }).fill(code);
    await this.page.keyboard.press("Control+Enter");
  }

  /** Both clients are connected. */
  async isRunning(): Promise<void> {
    await this.page.getByText("Running.").waitFor();
    for (const name of ["Ada", "Grace"]) await this.status(name, "open");
  }

  panel(name: string): Locator {
    return this.page.getByRole("region", { name, exact: true });
  }

  async status(name: string, status: string): Promise<void> {
    await this.panel(name).getByRole("status").filter({ hasText: status }).waitFor();
  }

  async says(name: string, text: string): Promise<void> {
    const field = this.page.getByLabel(`Message from ${name}`);
    await field.fill(text);
    await field.press("Enter");
  }

  async sees(name: string, text: string, kind = "received"): Promise<void> {
    await this.panel(name).locator(`.lines .${kind}`, { hasText: text }).first().waitFor();
  }

  /** All that a client has received. */
  async received(name: string): Promise<readonly string[]> {
    const lines = await this.panel(name).locator(".lines .received").allTextContents();
    return lines.map((line) => line.replace("← ", ""));
  }

  async press(name: string, where: Locator | Page = this.page): Promise<void> {
    await where.getByRole("button", { name, exact: true }).click();
  }

  /** A part of the room shows it. */
  async shows(part: string, text: string | RegExp): Promise<void> {
    await this.page.getByRole("region", { name: part, exact: true }).filter({ hasText: text }).waitFor();
  }

  async logs(text: string | RegExp): Promise<void> {
    await this.page.locator("#log p", { hasText: text }).first().waitFor();
  }
}
