import assert from "node:assert/strict";
import { test } from "node:test";
import { heldThrough } from "../../src/log/selection";
import type { Splice } from "../../src/log/splice";

/** A hole in row 10 becomes a hole and 4 rows of text. */
const FILLED: Splice = { at: 10, removed: 1, added: 5, keep: "above", isFresh: true };

function point(line: number, column = 3) {
  return { line, column };
}

test("a selection keeps to its text while rows get other numbers", () => {
  assert.deepEqual(heldThrough({ anchor: point(4), focus: point(20) }, FILLED), { anchor: point(0), focus: point(20) });
  assert.deepEqual(heldThrough({ anchor: point(20), focus: point(4) }, FILLED), { anchor: point(20), focus: point(0) });
});

test("what takes the place of its first or last row is selected as well", () => {
  const all = { anchor: point(10, 0), focus: point(20) };
  assert.deepEqual(heldThrough(all, FILLED), { anchor: point(6, 0), focus: point(20) });
  const backwards = { anchor: point(20), focus: point(10) };
  assert.deepEqual(heldThrough(backwards, FILLED), { anchor: point(20), focus: point(6, 0) });
  const toTheHole = { anchor: point(4), focus: point(10) };
  assert.deepEqual(heldThrough(toTheHole, FILLED), { anchor: point(0), focus: point(11, 0) });
});

test("a selection within a row that is gone is none", () => {
  assert.equal(heldThrough({ anchor: point(10, 0), focus: point(10, 8) }, FILLED), null);
});
