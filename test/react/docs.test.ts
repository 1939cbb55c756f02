/** The examples of docs/frameworks/react.md: type-checked, and each in two pages of Chromium that talk to each other by the page's own server. */
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server as Pages } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { build } from "esbuild";
import type { Plugin } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readPage, root, writePage } from "../docs/pages.ts";
import { start } from "../docs/run.ts";
import type { Server } from "../docs/run.ts";
import { executablePath, launch } from "../support/chromium.ts";
import { errorsOf } from "../types/copy.ts";

const page = readPage("docs/frameworks/react.md");
const at = (file: string): string => join(page.folder, file);
const frameworks = join(import.meta.dirname, "frameworks/node_modules");
const load = createRequire(join(frameworks, "none.js"));

/** What mounts the components that are not React's. */
const mounts = {
  "main-vue.ts":
    'import { createApp } from "vue";\nimport Chat from "./Chat.vue";\ncreateApp(Chat, { url: "ws://localhost:3000/lobby" }).mount(document.body);\n',
  "main-svelte.ts":
    'import { mount } from "svelte";\nimport Chat from "./Chat.svelte";\nmount(Chat, { target: document.body, props: { url: "ws://localhost:3000/lobby" } });\n',
};

beforeAll(() => writePage(page, mounts));

test("React's is right for the compiler", () => {
  const compilerOptions = {
    target: "es2022",
    module: "esnext",
    moduleResolution: "bundler",
    lib: ["es2022", "dom"],
    types: [],
    jsx: "react-jsx",
    strict: true,
    exactOptionalPropertyTypes: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
  };
  writeFileSync(at("tsconfig.json"), JSON.stringify({ compilerOptions, files: ["main.tsx"] }));
  expect(errorsOf(page.folder, "-p", ".")).toEqual([]);
  // And would be wrong otherwise.
  const wrong = readFileSync(at("chat.tsx"), "utf8").replace("{ last: 10 }", '{ last: "10" }').replace('"said"', '"unsaid"');
  writeFileSync(at("wrong.tsx"), wrong);
  writeFileSync(at("tsconfig.json"), JSON.stringify({ compilerOptions, files: ["wrong.tsx"] }));
  const errors = errorsOf(page.folder, "-p", ".");
  for (const name of ["unsaid", "type 'string' is not assignable to type 'number'"]) expect(errors.join()).toMatch(new RegExp(name, "i"));
});

describe.skipIf(executablePath === "").each(["main.tsx", "main-vue.ts", "main-svelte.ts"])("%s", (entry) => {
  let browser: Browser;
  let server: Server;
  let pages: Pages;
  beforeAll(async () => {
    pages = createServer((_request, response) => void response.setHeader("content-type", "text/html; charset=utf-8").end(html));
    await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
    const file = `server-of-${entry}`.replace(/\.tsx?$/, ".ts");
    const code = readFileSync(at("chat-server.ts"), "utf8");
    writeFileSync(at(file), code.replace("http://localhost:5173", originOf(pages)));
    [browser, server] = await Promise.all([launch(), start("node", at(file))]);
    const script = await bundle(entry);
    const html = `<!doctype html><body><script>${script.replace("localhost:3000", `127.0.0.1:${server.port}`).replaceAll("</script", "<\\/script")}</script>`;
  });
  afterAll(async () => {
    await browser.close();
    pages.close();
    pages.closeAllConnections();
    await server[Symbol.asyncDispose]();
  });

  async function visitor(): Promise<Page> {
    const one = await browser.newPage();
    await one.goto(originOf(pages));
    await one.getByText("open", { exact: true }).waitFor();
    return one;
  }

  test("what one says the other sees", async () => {
    const [ada, grace] = [await visitor(), await visitor()];
    await ada.getByText("Say hello").click();
    for (const one of [ada, grace]) await one.locator("li").getByText("hello").waitFor();
    expect(await grace.locator("li").allTextContents()).toEqual(["hello"]);
    if (entry !== "main.tsx") return;
    const late = await visitor();
    await late.locator("li").getByText("hello").waitFor();
    await late.getByText("Here: Ada", { exact: true }).waitFor();
    await late.getByText("Ask").click();
    await late.locator("output").getByText("You asked: Who are you?").waitFor();
  });
});

const originOf = (pages: Pages): string => `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;

async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [at(entry)],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2024",
    jsx: "automatic",
    conditions: ["browser"],
    define: {
      "process.env.NODE_ENV": '"development"',
      __VUE_OPTIONS_API__: "false",
      __VUE_PROD_DEVTOOLS__: "false",
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
    },
    nodePaths: [frameworks, join(root, "node_modules")],
    plugins: [components],
  });
  return outputFiles[0]!.text;
}

/** Compiles components with their frameworks' own compilers. */
const components: Plugin = {
  name: "components",
  setup(builder) {
    builder.onLoad({ filter: /\.vue$/ }, ({ path }) => {
      const { parse, compileScript } = load("vue/compiler-sfc") as VueCompiler;
      const { descriptor, errors } = parse(readFileSync(path, "utf8"), { filename: path });
      if (errors.length > 0) throw errors[0];
      return { contents: compileScript(descriptor, { id: "chat", inlineTemplate: true }).content, loader: "ts" };
    });
    builder.onLoad({ filter: /\.svelte$/ }, async ({ path }) => {
      const { compile } = (await import(load.resolve("svelte/compiler"))) as SvelteCompiler;
      return { contents: compile(readFileSync(path, "utf8"), { filename: path, generate: "client" }).js.code, loader: "js" };
    });
  },
};

interface VueCompiler {
  parse(source: string, options: object): { readonly descriptor: object; readonly errors: readonly Error[] };
  compileScript(descriptor: object, options: object): { readonly content: string };
}

interface SvelteCompiler {
  compile(source: string, options: object): { readonly js: { readonly code: string } };
}
