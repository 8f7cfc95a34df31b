/** The model as a log: what a page relies on beside what a terminal shows. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLogModel } from "../../src/terminal/index";
import { REACH } from "../../src/terminal/screen";
import { MAX_EXACT_STYLES } from "../../src/terminal/style";
import { bytes, lines, texts, whole } from "./feed";

describe("lines", () => {
  it("end at a line feed, with or without a carriage return, and count once begun", () => {
    const model = createLogModel();
    assert.equal(model.endLine, 0);
    model.write(bytes("one\r\ntwo\n"), 1, 0);
    assert.deepEqual(texts(model), ["one", "two"]);
    model.write(bytes("\n"), 1, 0);
    assert.deepEqual(texts(model), ["one", "two", ""]);
    model.write(bytes("thr"), 1, 0);
    assert.deepEqual(texts(model), ["one", "two", "", "thr"]);
  });

  it("carry the time and the stream of the chunk that began or rewrote them", () => {
    const model = createLogModel();
    model.write(bytes("a"), 1, 10);
    model.write(bytes("b\nc"), 2, 20);
    model.write(bytes("\rd\n\n"), 1, 30);
    assert.deepEqual(
      lines(model).map(({ text, time, stream }) => [text, time, stream]),
      [
        ["ab", 10, 1],
        ["d", 30, 1],
        ["", 30, 1],
      ],
    );
  });

  it("that are frozen are the same as when they were in the tail", () => {
    const model = createLogModel({ tailRows: 3 });
    model.write(bytes("\x1b[31mred\x1b[0m plain\tend\n你好\x1b[41m\x1b[K\x1b[0m\n"), 2, 7);
    const before = lines(model);
    assert.equal(model.frozenLine, 0);
    model.write(bytes("3\n4\n5\n6\n"), 1, 8);
    assert.equal(model.frozenLine, 4);
    assert.deepEqual([model.line(0), model.line(1)], before);
    assert.equal(before[0]?.text, "red plain       end");
    assert.equal(model.styleOf(before[1]?.fill ?? 0).bg, 1);
  });

  it("of the tail are the same object until they change", () => {
    const model = whole("a\nb");
    const [first, second] = [model.line(0), model.line(1)];
    model.write(bytes("c"), 1, 0);
    assert.equal(model.line(0), first);
    assert.notEqual(model.line(1), second);
    assert.equal(second.text, "b");
    assert.equal(model.line(1).text, "bc");
  });

  it("outside the kept ones are a RangeError that names those", () => {
    const model = whole("a\nb\n");
    for (const n of [-1, 2, 0.5, NaN]) assert.throws(() => model.line(n), /RangeError: no line .*lines 0 to 1/);
    assert.throws(() => model.text(0, 3), RangeError);
    assert.throws(() => model.styleOf(99), RangeError);
  });

  it("need sensible options", () => {
    for (const options of [{ tailRows: 0 }, { tailRows: 1.5 }, { columns: 1 }]) {
      assert.throws(() => createLogModel(options), RangeError);
    }
  });
});

describe("the end", () => {
  it("never goes down, and what is frozen never changes, whatever a program does", () => {
    const model = createLogModel({ tailRows: 5 });
    let [end, frozen] = [0, 0];
    const kept: unknown[] = [];
    for (const piece of [
      "a\nb\nc\nd\n",
      "\x1b[3A\x1b[J",
      "\x1b[2M",
      "\x1b[L\x1b[T",
      "\x1b[H\x1b[2J",
      "x\ny",
      "\x1b[?1049h\x1b[Hz",
      "\x1b[?1049l",
      "\x1bc",
      "\x1b[2;3r\n\n\n",
      "e\n".repeat(9),
      `\x1b[r${"f\n".repeat(9)}`,
    ]) {
      model.write(bytes(piece), 1, 0);
      assert.ok(
        model.endLine >= end && model.frozenLine >= frozen && model.endLine >= model.frozenLine,
        JSON.stringify(piece),
      );
      [end, frozen] = [model.endLine, model.frozenLine];
      assert.deepEqual(
        Array.from({ length: kept.length }, (_, n) => model.line(n)),
        kept,
      );
      while (kept.length < frozen) kept.push(model.line(kept.length));
    }
    assert.ok(kept.length > 8);
  });
});

describe("programs that address the screen", () => {
  it("paint below what was printed before, and over their own page again", () => {
    const paint = (n: number): string => `\x1b[H\x1b[2J\x1b[1mstate ${n}\x1b[0m\nline ${n}\n`;
    assert.deepEqual(texts(whole(`log 1\nlog 2\n${paint(1)}${paint(2)}${paint(3)}`)), [
      "log 1",
      "log 2",
      "state 3",
      "line 3",
    ]);
    assert.deepEqual(texts(whole("log\n\x1b[H\x1b[Jone\n\x1b[H\x1b[Jtwo\n")), ["log", "two"]);
  });

  it("begin anew when their page has scrolled", () => {
    const page = Array.from({ length: 8 }, (_, i) => `row ${i}\n`).join("");
    const model = whole(`\x1b[H\x1b[2J${page}\x1b[H\x1b[2Jend\n`, { tailRows: 5 });
    assert.deepEqual(texts(model), [...page.trim().split("\n"), "end"]);
  });

  it("leave their alternate screen readable between what was before and what comes after", () => {
    const model = whole("before\n\x1b[?1049h\x1b[2J\x1b[3;2Hmenu\x1b[?1049lafter\n");
    assert.deepEqual(texts(model), ["before", "", "", " menu", "after"]);
  });

  it("cannot erase the scrollback or what was there before a reset", () => {
    assert.deepEqual(texts(whole("a\nb\n\x1b[3J\x1bcc\n")), ["a", "b", "c"]);
  });

  it("reach as far to the right as a terminal could be wide, and no further", () => {
    const [line] = lines(whole("\x1b[99999Cx\n"));
    assert.equal(line?.text.length, REACH);
    assert.equal(whole("x\x1b[99999b\n").line(0).text.length, REACH + 1);
    assert.equal(whole("\x1b[99999@x\n").line(0).text, "x");
  });
});

describe("clear", () => {
  it("forgets all lines and goes on with the next number", () => {
    const model = createLogModel({ tailRows: 2 });
    model.write(bytes("a\nb\nc\nd\n\x1b[32"), 1, 0);
    model.clear();
    assert.deepEqual([model.firstLine, model.frozenLine, model.endLine], [4, 4, 4]);
    assert.throws(() => model.line(3), RangeError);
    model.write(bytes("mgreen\ne\nf\ng\n"), 1, 0);
    assert.deepEqual(texts(model), ["green", "e", "f", "g"]);
    assert.equal(model.line(4).spans.length, 1);
    assert.equal(model.search({ text: "e", regex: false, matchCase: true }, 10).matches.at(-1)?.line, 5);
  });
});

describe("text for copy", () => {
  it("joins what was wrapped", () => {
    const model = whole("0123456789abcdefghij\nx\n", { columns: 8, tailRows: 2 });
    assert.deepEqual(texts(model), ["01234567", "89abcdef", "ghij", "x"]);
    assert.equal(model.text(0, 4), "0123456789abcdefghij\nx");
    assert.equal(model.text(1, 2), "89abcdef");
    assert.equal(model.text(2, 2), "");
  });
});

describe("styles", () => {
  it("beyond the bound become the palette's, then plain, and nothing grows", () => {
    const model = createLogModel({ tailRows: 2 });
    const paint = (from: number, count: number, code: (i: number) => string): void => {
      for (let i = from; i < from + count; i += 1_000) {
        const text = Array.from({ length: Math.min(1_000, from + count - i) }, (_, k) => `\x1b[${code(i + k)}mx`).join(
          "",
        );
        model.write(bytes(`${text}\n`), 1, 0);
      }
    };
    const rgb = (i: number): string => `38;2;${i & 255};${(i >> 8) & 255};${i >> 16}`;
    paint(0, MAX_EXACT_STYLES - 1, rgb);
    model.write(bytes("\x1b[38;2;255;0;0;48;2;0;0;255my\n\n\n"), 1, 0);
    const line = model.line(model.endLine - 3);
    const style = model.styleOf(line.spans[0]?.style ?? 0);
    assert.deepEqual([line.text, style.fg, style.bg], ["y", 196, 21]);
    paint(0, 70_000, (i) => `0;38;5;${i & 255};48;5;${(i >> 8) & 255};${i >> 16}`);
    assert.throws(() => model.styleOf(2 * MAX_EXACT_STYLES), RangeError);
  });
});
