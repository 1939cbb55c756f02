/** What is between servers in memory and their backplane, where a test cuts it. */
import type { MemoryNetwork } from "edgewire/cluster";

export class Between implements MemoryNetwork {
  /** Nobody reaches the backplane: what is asked fails. */
  isDown = false;
  /** Nobody reaches it, and nobody knows: what is asked never ends. */
  isSilent = false;
  /** Nothing is told. */
  isDeaf = false;
  /** Answers are lost, after what was asked is done. */
  losesAnswers = false;
  /** Requests so far. */
  requests = 0;

  async request<Answer>(_node: string, run: () => Answer): Promise<Answer> {
    this.requests++;
    if (this.isSilent) return new Promise<Answer>(() => {});
    if (this.isDown) throw new Error("the backplane is away");
    const answer = run();
    if (this.losesAnswers) throw new Error("the answer is lost");
    return answer;
  }

  frame(_node: string, deliver: () => void): void {
    if (!this.isDown && !this.isSilent && !this.isDeaf) queueMicrotask(deliver);
  }
}
