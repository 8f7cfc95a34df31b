/** Search over frozen lines and the tail. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LogModel, SearchQuery } from "../../src/terminal/index";
import { REGEX_UNITS } from "../../src/terminal/search";
import { bytes, whole } from "./feed";
import { Random } from "./random";

/** Matches to ask for where all are wanted. */
const ALL = 1_000_000;

function found(model: LogModel, query: Partial<SearchQuery> & { text: string }, limit = ALL): string[] {
  const result = model.search({ regex: false, matchCase: false, ...query }, limit);
  assert.equal(result.error, undefined);
  return result.matches.map(({ line, start, end }) => `${line}:${start}-${end}`);
}

describe("search", () => {
  const model = whole("Error one\nnothing\nan error, an ERROR\n\x1b[31mer\x1b[0mror 你好 error\n\rtail: error", {
    tailRows: 2,
  });

  it("finds text in frozen lines and in the tail, in order, whatever its case and style", () => {
    assert.deepEqual(found(model, { text: "error" }), ["0:0-5", "2:3-8", "2:13-18", "3:0-5", "3:9-14", "4:6-11"]);
    assert.deepEqual(found(model, { text: "ERROR", matchCase: true }), ["2:13-18"]);
    assert.deepEqual(found(model, { text: "你好" }), ["3:6-8"]);
  });

  it("counts all matches but answers no more than asked for", () => {
    for (const regex of [false, true]) {
      const result = model.search({ text: "error", regex, matchCase: false }, 2);
      assert.deepEqual([result.matches.length, result.total, result.partial], [2, 6, undefined]);
    }
  });

  it("looks at a part of the lines when told to", () => {
    assert.deepEqual(found(model, { text: "error", from: 2, to: 4 }), ["2:3-8", "2:13-18", "3:0-5", "3:9-14"]);
    assert.deepEqual(found(model, { text: "e", regex: true, from: 4, to: 5 }), ["4:6-7"]);
    assert.deepEqual(found(model, { text: "error", from: 5, to: 2 }), []);
    assert.deepEqual(found(model, { text: "error", from: -5, to: 999 }).length, 6);
  });

  it("takes the characters of plain text as they are", () => {
    const odd = whole("a.b*c\naxb\n(x) [y] {z} ^$ \\ | / -\n");
    assert.deepEqual(found(odd, { text: "A.B*" }), ["0:0-4"]);
    assert.deepEqual(found(odd, { text: "(X) [y] {z} ^$ \\ | / -" }), ["2:0-22"]);
    assert.deepEqual(found(odd, { text: "b*c\naxb" }), []);
    assert.deepEqual(found(odd, { text: "" }), []);
  });

  it("matches a regular expression within each line", () => {
    assert.deepEqual(found(model, { text: "^error", regex: true }), ["0:0-5", "3:0-5"]);
    assert.deepEqual(found(model, { text: "error$", regex: true }), ["2:13-18", "3:9-14", "4:6-11"]);
    assert.deepEqual(found(model, { text: "\\p{Lo}+", regex: true }), ["3:6-8"]);
    assert.deepEqual(found(model, { text: "one[^x]*nothing", regex: true }), []);
    assert.deepEqual(found(model, { text: "x*", regex: true }), []);
    assert.deepEqual(found(whole("😀😀a\n"), { text: ".|q*", regex: true }), ["0:0-2", "0:2-4", "0:4-5"]);
    assert.deepEqual(found(whole("a-b\n"), { text: "\\-", regex: true }), ["0:1-2"]);
  });

  it("finds what begins with anything", () => {
    const odd = whole("one two\u2028one\nnone\nx\n");
    assert.deepEqual(found(odd, { text: ".*one", regex: true }), ["0:0-11", "1:0-4"]);
    assert.deepEqual(found(odd, { text: ".*?one", regex: true }), ["0:0-3", "0:3-11", "1:0-4"]);
    assert.deepEqual(found(odd, { text: ".*z|x", regex: true }), ["2:0-1"]);
    assert.deepEqual(found(odd, { text: ".*", regex: true }).length, 3);
  });

  it("says what is wrong with a regular expression", () => {
    for (const text of ["(", "[z-a]", "a**", "(a+)+$", "(?:\\w*)*x", "([^,]+)+"]) {
      const result = model.search({ text, regex: true, matchCase: false }, 10);
      assert.ok(result.error, text);
      assert.deepEqual([result.matches, result.total], [[], 0]);
    }
    assert.deepEqual(found(model, { text: "(er+)+", regex: true }).length, 6);
  });

  it("stops when told to and says so", () => {
    const long = whole("match\n".repeat(50_000));
    for (const regex of [false, true]) {
      let asked = 0;
      const result = long.search({ text: "match", regex, matchCase: true, stop: () => ++asked > 5 }, ALL);
      assert.ok(result.partial && result.total > 0 && result.total < 50_000, `${result.total}`);
    }
  });

  it("tries a regular expression on the beginning of a very long line only, and says so", () => {
    const long = whole(`start ${"x".repeat(REGEX_UNITS)} end\nend\n`);
    const result = long.search({ text: "end", regex: true, matchCase: true }, ALL);
    assert.deepEqual([result.total, result.partial], [1, true]);
    assert.deepEqual(found(long, { text: "end" }).length, 2);
  });

  it("finds the same as a plain look at every line, across blocks", () => {
    const random = new Random(7);
    const words = ["alpha", "Beta", "gamma", "α", "ab", "aba", "ababa"];
    const all = Array.from({ length: 6_000 }, () =>
      Array.from({ length: random.below(6) }, () => random.pick(words)).join(" "),
    );
    const store = whole(bytes(`${all.join("\n")}\n`), { tailRows: 50 });
    for (const text of ["aba", "beta", "a b", "α", "m"]) {
      const expected: string[] = [];
      for (const [n, line] of all.entries()) {
        const lower = line.toLowerCase();
        for (let at = lower.indexOf(text); at >= 0; at = lower.indexOf(text, at + text.length))
          expected.push(`${n}:${at}-${at + text.length}`);
      }
      assert.deepEqual(found(store, { text }), expected, text);
      assert.deepEqual(found(store, { text, regex: true }), expected, text);
    }
  });
});
