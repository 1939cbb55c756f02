/** Whether what came on a connection may be. */
import { join } from "node:path";
import { afterClose, type Answer, type Answers } from "./answers.ts";
import type { Told } from "./attack.ts";
import type { Expectation } from "./expectation.ts";
import type { Ground } from "./ground.ts";
import type { Plan, Segment } from "./plan.ts";

/** What no answer may show: where the code is, and where it was called. */
const here = join(import.meta.dirname, "../../..").replaceAll(/[^\w/-]/g, "\\$&");
const leaks = new RegExp(`\\n\\s+at .+[:)]|node_modules|file:///|${here}|secret:|\\.[jt]s:\\d`);

/** @throws for what must not be. */
export function judge(
  plan: Plan,
  ground: Ground,
  expectation: Expectation,
  answers: Answers,
  { left, missed, ended }: Told & { readonly ended: string | undefined },
): void {
  const fail = (what: string): never => {
    const list = answers.list.map(
      ({ index, status, body, complete }) => `  ${index}: ${status}, ${body.length} bytes${complete ? "" : ", cut"}`,
    );
    throw new Error(`${what} (the server's end: ${ended ?? "none"}); answers:\n${list.join("\n")}`);
  };
  const garbled = plan.segments.findIndex(({ fate }) => fate === "garbled");
  // Nobody can tell what comes from there on.
  if (garbled >= 0 && garbled < expectation.begun && (answers.last?.index ?? -1) >= garbled - 1) return;
  if (answers.problem !== undefined && !(ground.has("sendsAfterClose") && answers.problem.startsWith(afterClose))) fail(answers.problem);
  for (const answer of answers.list) judgeAnswer(answer, plan.segments[answer.index]!, answer.index < expectation.sure, left, ground, fail);
  // What a 101 behind noise is for, and what was sent behind it, nobody can tell.
  const blurred = plan.segments.slice(0, answers.switched?.index ?? 0).some(({ blurs }) => blurs);
  if (!blurred) judgeFrames(expectation, answers, fail);
  if (missed !== undefined) fail(missed);
  if (answers.last !== undefined && plan.segments[answers.last.index]!.mayClose) return;
  // A reset takes what was on its way along.
  if (left || (ended === "reset" && expectation.mayReset)) return;
  if (answers.list.filter(({ complete, index }) => complete && index < expectation.sure).length < expectation.sure) {
    fail(`${expectation.sure} answers are owed`);
  }
}

function judgeAnswer(answer: Answer, segment: Segment, sure: boolean, left: boolean, ground: Ground, fail: (what: string) => never): void {
  const { status, body, complete, headers } = answer;
  const said = (what: string): never =>
    fail(`${what}: ${status} to ${segment.what}, ${JSON.stringify(body.subarray(0, 500).toString("latin1"))}`);
  const ours = ground.edgewire && (segment.type === "handshake" || ground.http !== "own");
  const own = answer.header("x-fuzz") === segment.id;
  if (!own && leaks.test(headers.map((pair) => pair.join(": ")).join("\n") + body.toString("latin1")))
    said("an answer that shows too much");
  if (status === 500 && !own && answer.header("x-fuzz") === undefined && complete && ours && segment.method !== "HEAD") {
    if (body.toString("latin1") !== "Internal Server Error\n") said("a 500 of nobody's");
  }
  if (segment.fate === "broken" && own && complete && segment.method !== "HEAD" && status !== 500)
    said("a body that failed passes for whole");
  if (!sure) return;
  if (segment.statuses !== undefined && !segment.statuses.includes(status)) said(`not ${segment.statuses.join(" or ")}`);
  if (!own || !complete || segment.method === "HEAD" || segment.body === undefined) return;
  // To a client that has sent its FIN an answer may be cut off, and Node's end of a chunked body follows all the same.
  const given = body.toString("latin1");
  if (left ? !segment.body.startsWith(given) : given !== segment.body) said("another body");
  if (segment.sent !== undefined && answer.header("x-body") !== String(segment.sent))
    said(`the application read ${answer.header("x-body")} bytes of ${segment.sent}`);
}

function judgeFrames({ behind }: Expectation, answers: Answers, fail: (what: string) => never): void {
  const { switched } = answers;
  if (switched === undefined) return;
  const { texts } = behind(switched.index);
  switched.texts.forEach((text, index) => {
    if (text !== texts[index])
      fail(`message ${index} is ${JSON.stringify(text.slice(0, 100))}, not ${JSON.stringify(texts[index]?.slice(0, 100))}`);
  });
}
