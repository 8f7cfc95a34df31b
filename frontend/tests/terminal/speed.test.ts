/** How fast it is, printed for information: a shared machine proves nothing, so nothing here is asserted about time. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLogModel } from "../../src/terminal/index";
import { bytes } from "./feed";

const LINES = 1_000_000;
/** Bytes written at once: what a server sends. */
const CHUNK = 65_536;

/** Lines of 80 characters, 10 % of them in colour. */
function log(): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let text = "";
  for (let n = 0; n < LINES; n++) {
    const line = `2026-11-03 12:00:00 INFO worker-${n % 16} item ${n} took ${(n * 7) % 1_000} ms`.padEnd(80, ".");
    text += n % 10 === 0 ? `\x1b[32m${line.slice(0, 20)}\x1b[0m${line.slice(20)}\n` : `${line}\n`;
    if (text.length < CHUNK) continue;
    chunks.push(bytes(text));
    text = "";
  }
  return [...chunks, bytes(text)];
}

describe("speed, for information", () => {
  it(`${LINES} lines of 80 characters: written and searched`, (context) => {
    const timed = (what: () => void): number => {
      const begun = performance.now();
      what();
      return performance.now() - begun;
    };
    const chunks = log();
    const model = createLogModel();
    const before = process.memoryUsage();
    let longest = 0;
    const took = timed(() => {
      for (const chunk of chunks)
        longest = Math.max(
          longest,
          timed(() => model.write(chunk, 1, 0)),
        );
    });
    const after = process.memoryUsage();
    assert.equal(model.endLine, LINES);
    const megabytes = (after.heapUsed + after.external - before.heapUsed - before.external) / 1e6;
    context.diagnostic(
      `${(LINES / took / 1_000).toFixed(2)} M lines/s, chunk ≤ ${longest.toFixed(1)} ms, ${megabytes.toFixed(0)} MB`,
    );
    for (const query of [
      { text: "item 99999", regex: false, matchCase: true },
      { text: "ITEM 99999", regex: false, matchCase: false },
      { text: "item \\d+99 took", regex: true, matchCase: false },
    ]) {
      let total = 0;
      const search = timed(() => ({ total } = model.search(query, 10_000)));
      assert.ok(total > 0);
      context.diagnostic(`search ${query.text}: ${total} in ${search.toFixed(0)} ms`);
    }
  });
});
