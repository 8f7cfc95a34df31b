import assert from "node:assert/strict";
import { test } from "node:test";

import { Finder } from "../../src/log/finder";
import { Follow } from "../../src/log/follow";
import { cssColour, lookOf } from "../../src/log/palette";
import { selectedText } from "../../src/log/selection";
import { createLogModel, type LogModel, type Style } from "../../src/terminal/index";

function modelOf(text: string): LogModel {
  const model = createLogModel();
  model.write(new TextEncoder().encode(text), 1, 0);
  return model;
}

function findAll(finder: Finder): void {
  while (finder.step());
}

const PLAIN: Style = {
  fg: null, bg: null, bold: false, dim: false, italic: false,
  underline: false, inverse: false, strike: false, hidden: false,
};

test("leaving the end counts the lines that come, joining forgets them", () => {
  const follow = new Follow();
  assert.equal(follow.isStuck, true);
  follow.leave(100);
  follow.leave(130);
  assert.deepEqual(follow.state(142), { following: false, newLines: 42 });
  follow.join();
  assert.deepEqual(follow.state(150), { following: true, newLines: 0 });
});

test("lines that only arrive late are no news", () => {
  const follow = new Follow();
  follow.leave(0);
  follow.forgetNews(130);
  assert.deepEqual(follow.state(142), { following: false, newLines: 12 });
});

test("a held mouse button stops the view without leaving the end", () => {
  const follow = new Follow();
  follow.hold(true);
  assert.equal(follow.isStuck, false);
  assert.equal(follow.following, true);
  follow.hold(false);
  assert.equal(follow.isStuck, true);
});

test("copying takes whole lines between and parts of the first and last", () => {
  const model = modelOf("alpha\nbeta\ngamma\n");
  assert.equal(selectedText(model, { line: 0, column: 2 }, { line: 2, column: 3 }), "pha\nbeta\ngam");
  assert.equal(selectedText(model, { line: 1, column: 1 }, { line: 1, column: 3 }), "et");
  assert.equal(selectedText(model, { line: 0, column: 5 }, { line: 1, column: 0 }), "\n");
});

test("copying beyond what is kept gives what is kept", () => {
  const model = modelOf("alpha\nbeta\n");
  assert.equal(selectedText(model, { line: 0, column: 0 }, { line: 99, column: 1 }), "alpha\nbeta");
});

test("a search over a log that grows finds every match once", () => {
  const model = createLogModel({ tailRows: 64 });
  const finder = new Finder(model);
  finder.setQuery({ text: "needle", regex: false, matchCase: true });
  for (let part = 0; part < 30; part += 1) {
    const lines = Array.from({ length: 2000 }, (_, n) => (n % 500 === 0 ? `needle ${n}` : `hay ${n}`));
    model.write(new TextEncoder().encode(`${lines.join("\n")}\n`), 1, 0);
    findAll(finder);
  }
  const { matches, total, isComplete } = finder.findings;
  assert.equal(total, 120);
  assert.equal(isComplete, true);
  assert.deepEqual(matches.map((match) => match.line), Array.from({ length: 120 }, (_, n) => n * 500));
});

test("a wrong regular expression is an error to show, not an exception", () => {
  const finder = new Finder(modelOf("abc\n"));
  finder.setQuery({ text: "(", regex: true, matchCase: false });
  findAll(finder);
  assert.ok(finder.findings.error);
});

test("palette colours become the values that xterm has", () => {
  assert.equal(cssColour(16), "#000000");
  assert.equal(cssColour(208), "#ff8700");
  assert.equal(cssColour(231), "#ffffff");
  assert.equal(cssColour(244), "#808080");
  assert.equal(cssColour(0x1000000 | 0x0102ff), "#0102ff");
});

test("the theme's colours are classes, exact ones are values", () => {
  assert.deepEqual(lookOf({ ...PLAIN, fg: 1, bold: true }), {
    className: "s-bold fg-1",
    colour: null,
    background: null,
  });
  const exact = lookOf({ ...PLAIN, fg: 0x1000000 | 0xff0000, bg: 3 });
  assert.equal(exact.colour, "#ff0000");
  assert.ok(exact.className.split(" ").includes("bg-3"));
});

test("inverse exchanges the two colours, the page's own included", () => {
  assert.equal(lookOf({ ...PLAIN, inverse: true }).className, "fg-inverse bg-inverse");
  const look = lookOf({ ...PLAIN, inverse: true, fg: 200 });
  assert.equal(look.background, cssColour(200));
  assert.ok(look.className.includes("fg-inverse"));
});
