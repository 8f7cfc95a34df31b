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

describe("dropping lines from the front", () => {
  for (const line of [0, 1, 700, 1_024, 5_000, 19_990]) {
    it(`before ${line} keeps the others under their own numbers`, () => {
      const model = numbered(20_000, { tailRows: 10 });
      const before = model.bytes;
      model.dropBefore(line);
      assert.deepEqual([model.firstLine, model.frozenLine, model.endLine], [line, 19_991, 20_000]);
      for (const n of [line, line + 1, 19_990, 19_991, 19_999]) assert.equal(model.line(n).text, `line ${n}`);
      assert.throws(() => model.line(line - 1), RangeError);
      assert.equal(model.text(line, line + 2), `line ${line}\nline ${line + 1}`);
      assert.equal(model.search({ text: "line", regex: false, matchCase: true }, 1).total, 20_000 - line);
      assert.ok(line < 1_024 ? model.bytes === before : model.bytes < before);
    });
  }

  it("stops at the rows that a program can still rewrite", () => {
    const model = numbered(100, { tailRows: 10 });
    model.dropBefore(1_000);
    assert.deepEqual([model.firstLine, model.endLine], [91, 100]);
    model.dropBefore(5);
    assert.equal(model.firstLine, 91);
    model.write(bytes("on\n"), 1, 0);
    assert.equal(model.line(100).text, "on");
  });
});

describe("memory", () => {
  it("counts characters beyond Latin-1 twice", () => {
    const [narrow, wide] = [new LineStore(), new LineStore()];
    for (let i = 0; i < 5_000; i++) {
      const line = { spans: [], time: 0, stream: 1, wrapped: false, fill: 0, number: 1 } as const;
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
    }
    for (let at = 0; at < expected.length; at++) {
      const line = model.line(at);
      assert.equal(line.text, expected[at], `line ${at}`);
      const n = at;
      assert.equal(line.number, n + 1);
      assert.equal(line.time, n * 1_000_000);
      assert.equal(line.stream, n % 2 === 0 ? 1 : 2);
      const spans = n % 3 === 0 ? [[0, line.text.length - 1, n % 8]] : [];
      assert.deepEqual(
        line.spans.map(({ start, end, style }) => [start, end, model.styleOf(style).fg]),
        spans,
      );
    }
  });
});
