/** Lines of a million characters: all there, and in time that grows with their length only. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLogModel } from "../../src/terminal/index";
import type { LogModel } from "../../src/terminal/index";
import { MAX_COLUMNS } from "../../src/terminal/screen";
import { bytes } from "./feed";

const MILLION = 1_000_000;
/** Bytes written at once: what a server sends. */
const CHUNK = 65_536;
/** Chunks between two looks at the unfinished line, as a page takes them. */
const LOOK = 16;
/** ms for a million characters in their most awkward form; quadratic time would take minutes. */
const DEADLINE = 20_000;

function written(data: Uint8Array): LogModel {
  const model = createLogModel();
  for (let from = 0; from < data.length; from += CHUNK) {
    model.write(data.subarray(from, from + CHUNK), 1, 0);
    if ((from / CHUNK) % LOOK === 0) model.line(model.endLine - 1);
  }
  return model;
}

const row = "x".repeat(MILLION);

const AWKWARD: Record<string, { data: string; text: string }> = {
  plain: { data: row, text: row },
  "a colour for each character": { data: "\x1b[31mx\x1b[32mx".repeat(MILLION / 2), text: row },
  "written over one by one": { data: `${"y".repeat(MILLION)}\r${"\x1b[31mx\x1b[32mx".repeat(MILLION / 2)}`, text: row },
  "with backspaces": { data: "yx\b\bx\x1b[C".repeat(MILLION / 2), text: row },
  "with tabs, written over": {
    data: `${"x\t".repeat(MILLION / 8)}\rx`,
    text: "x       ".repeat(MILLION / 8).trimEnd(),
  },
  emoji: { data: "🚀".repeat(MILLION / 2), text: "🚀".repeat(MILLION / 2) },
  "combining marks": { data: "e\u0301".repeat(MILLION / 2), text: "e\u0301".repeat(MILLION / 2) },
  "erased again and again": { data: `${row}${"\x1b[D\x1b[Kx".repeat(200_000)}`, text: row },
  "characters put in at its beginning": { data: `${row}\r${"\x1b[@".repeat(100_000)}`, text: row },
};

describe("a line of a million characters", () => {
  for (const [name, { data, text }] of Object.entries(AWKWARD)) {
    it(`${name}: is whole, and stays so in the store`, (context) => {
      const begun = performance.now();
      const model = written(bytes(data));
      const took = performance.now() - begun;
      context.diagnostic(`${took.toFixed(0)} ms`);
      assert.equal(model.endLine, 1);
      assert.ok(model.line(0).text === text, "before its end");
      model.write(bytes("\nnext"), 1, 0);
      assert.equal(model.frozenLine, 1, "a long line leaves the tail at its end");
      assert.ok(model.line(0).text === text, "in the store");
      assert.equal(model.line(1).text, "next");
      assert.ok(took < DEADLINE, `${took} ms`);
    });
  }
});

describe("a line without an end", () => {
  it("wraps after the longest row, and nothing is lost", () => {
    const model = written(new Uint8Array(2 * MAX_COLUMNS + 10).fill(0x61));
    assert.equal(model.endLine, 3);
    assert.deepEqual(
      [0, 1, 2].map((n) => [model.line(n).text.length, model.line(n).wrapped ?? false]),
      [
        [MAX_COLUMNS, false],
        [MAX_COLUMNS, true],
        [10, true],
      ],
    );
    assert.equal(model.text(0, 3).length, 2 * MAX_COLUMNS + 10);
  });
});
