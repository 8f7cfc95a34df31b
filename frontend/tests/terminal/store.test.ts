/** The line store: what is kept, what is dropped, and at what cost. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLogModel } from "../../src/terminal/index";
import type { LogModel, LogModelOptions } from "../../src/terminal/index";
import { LineStore } from "../../src/terminal/linestore";
import { bytes } from "./feed";

function numbered(count: number, options: LogModelOptions, line: (n: number) => string = (n) => `line ${n}`): LogModel {
  const model = createLogModel(options);
  for (let from = 0; from < count; from += 1_000) {
    const texts = Array.from({ length: Math.min(1_000, count - from) }, (_, i) => `${line(from + i)}\n`);
    model.write(bytes(texts.join("")), 1, from);
  }
  return model;
}

describe("the limit of lines", () => {
  for (const maxLines of [1, 7, 100, 5_000]) {
    it(`of ${maxLines} keeps the newest ones under their own numbers`, () => {
      const model = numbered(20_000, { maxLines, tailRows: 10 });
      assert.equal(model.endLine, 20_000);
      // the cursor's row is one of the ten
      assert.equal(model.frozenLine, 19_991);
      const kept = model.frozenLine - model.firstLine;
      assert.ok(kept <= maxLines && kept >= Math.floor((maxLines * 5) / 8), `${kept} kept`);
      for (const n of [model.firstLine, model.firstLine + 1, model.frozenLine - 1, model.frozenLine, 19_999]) {
        if (n >= model.firstLine) assert.equal(model.line(n).text, `line ${n}`);
      }
      assert.throws(() => model.line(model.firstLine - 1), RangeError);
      assert.equal(
        model.text(model.firstLine, model.firstLine + 2),
        `line ${model.firstLine}\nline ${model.firstLine + 1}`,
      );
    });
  }
});

describe("the limit of memory", () => {
  it("drops the oldest lines when long ones reach it", () => {
    const maxBytes = 5_000_000;
    const model = numbered(3_000, { maxBytes, tailRows: 10 }, (n) => `${n} ${"x".repeat(10_000)}`);
    const kept = model.frozenLine - model.firstLine;
    assert.ok(kept > 400 && kept <= 500, `${kept} kept`);
    assert.ok(model.line(model.firstLine).text.startsWith(`${model.firstLine} x`));
  });

  it("counts characters beyond Latin-1 twice", () => {
    const [narrow, wide] = [new LineStore(1_000_000, 1e9), new LineStore(1_000_000, 1e9)];
    for (let i = 0; i < 5_000; i++) {
      const line = { spans: [], time: 0, stream: 1, wrapped: false, fill: 0, gapBytes: 0 } as const;
      if (narrow.add({ ...line, text: "x".repeat(100) }, false)) narrow.seal(false);
      if (wide.add({ ...line, text: "你".repeat(100) }, true)) wide.seal(true);
    }
    assert.ok(wide.bytes > 1.5 * narrow.bytes, `${wide.bytes} and ${narrow.bytes}`);
  });
});

describe("blocks", () => {
  it("give back text, styles and rare marks of every line", () => {
    const model = createLogModel({ tailRows: 1 });
    const expected: string[] = [];
    for (let n = 0; n < 5_000; n++) {
      const text = n % 7 === 0 ? `é ${n}` : n % 1_100 === 5 ? `你好 ${n}` : `plain ${n}`;
      model.write(
        bytes(n % 3 === 0 ? `\x1b[3${n % 8}m${text}\x1b[0m!\n` : `${text}\n`),
        n % 2 === 0 ? 1 : 2,
        n * 1_000_000,
      );
      expected.push(n % 3 === 0 ? `${text}!` : text);
      if (n % 1_000 === 999) {
        model.gap(n);
        expected.push("");
      }
    }
    let gaps = 0;
    for (let at = 0; at < expected.length; at++) {
      const line = model.line(at);
      assert.equal(line.text, expected[at], `line ${at}`);
      const n = at - gaps;
      if (line.gapBytes !== undefined) {
        assert.equal(line.gapBytes, n - 1);
        gaps++;
        continue;
      }
      assert.equal(line.time, n * 1_000_000);
      assert.equal(line.stream, n % 2 === 0 ? 1 : 2);
      const spans = n % 3 === 0 ? [[0, line.text.length - 1, n % 8]] : [];
      assert.deepEqual(
        line.spans.map(({ start, end, style }) => [start, end, model.styleOf(style).fg]),
        spans,
      );
    }
    assert.equal(gaps, 5);
  });
});
