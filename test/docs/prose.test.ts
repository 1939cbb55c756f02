/** What `npm run lint` refuses of the English, and what it doesn't. The pages themselves are checked by lint. */
import { describe, expect, test } from "vitest";
import { docCommentsOf, faults, longSentences, oddPhrases } from "../../scripts/prose.ts";
import { root } from "./pages.ts";

const words = (count: number): string => Array.from({ length: count }, (_, index) => (index === 0 ? "Word" : "word")).join(" ");

test("the checkout has no fault", () => {
  expect(faults(root)).toEqual([]);
});

describe("long sentences", () => {
  test.each([
    ["thirty words", words(30)],
    ["two sentences", `${words(20)}. ${words(20)}`],
    ["a question", `${words(20)}? ${words(20)}!`],
    ["a sentence that begins with code", `${words(20)}. \`code\` ${words(20)}`],
    ["items of a list", `- ${words(20)}\n- ${words(20)}\n1. ${words(20)}`],
    ["cells of a table", `| ${words(20)} | ${words(20)} |\n|---|---|\n| ${words(20)} | ${words(20)} |`],
    ["paragraphs", `${words(20)}\n\n${words(20)}`],
    ["a heading and its text", `## ${words(20)}\n${words(20)}`],
    ["a block of code", `\`\`\`sh\n${words(40)}\n\`\`\``],
    ["code within a sentence is one word", `${words(29)} \`${words(20)}\``],
    ["addresses of links and comments", `[${words(29)}](https://example.com/${"a-".repeat(40)}) <!-- ${words(20)} -->`],
  ])("not %s", (_, page) => {
    expect(longSentences(page)).toEqual([]);
  });

  test.each([
    ["thirty-one words", words(31), 1],
    ["over lines", `${words(16)}\n${words(15)}`, 1],
    ["joined by a semicolon", `${words(16)}; ${words(16)}`, 1],
    ["after another", `${words(5)}.\n\n- ${words(5)}. ${words(31)}`, 3],
    ["behind code", `\`\`\`ts\n1\n\`\`\`\n\n| x | ${words(31)} |`, 5],
  ])("%s", (_, page, line) => {
    expect(longSentences(page)).toEqual([expect.stringMatching(new RegExp(`^${line}: a sentence of 3\\d words`))]);
  });
});

test("doc comments are prose, each line where it was", () => {
  const source = `const a = 1; // ${words(40)}\n/**\n * ${words(20)}\n * ${words(5)}.\n * @throws ${words(20)}\n */\nconst b = "x";\n/** ${words(35)} */\n`;
  expect(longSentences(docCommentsOf(source))).toEqual([expect.stringMatching(/^8: a sentence of 35 words/)]);
});

describe("phrases", () => {
  test.each([
    ["a limit that is none", 1],
    ["\n/**\n * It is told\n * to nobody. */", 3],
    ["// It lets\n  // go of it.", 1],
    ["# The end", 1],
    ["What is no number", 1],
    ["the connection is ended", 1],
    ["x\nbeside the bare runtime", 2],
  ])("%j", (text, line) => {
    expect(oddPhrases(text)).toEqual([expect.stringMatching(new RegExp(`^${line}: ".*"\\. Write `))]);
  });

  test.each(["what is not there", "it has ended", "The end of it", "letGo(room)", "nobody told a lie", "# The endless queue"])(
    "not %j",
    (text) => {
      expect(oddPhrases(text)).toEqual([]);
    },
  );
});
