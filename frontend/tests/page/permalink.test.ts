import assert from "node:assert/strict";
import { test } from "node:test";

import { hashOfLines, linesOfHash, linesOfText, rangeOf } from "../../src/page/permalink";

test("an address names a line or a range, in either order", () => {
  assert.deepEqual(linesOfHash("#L120"), { first: 120, last: 120 });
  assert.deepEqual(linesOfHash("#L120-L140"), { first: 120, last: 140 });
  assert.deepEqual(linesOfHash("#L140-L120"), { first: 120, last: 140 });
  assert.deepEqual(linesOfHash("#L120-140"), { first: 120, last: 140 });
});

test("anything else names none", () => {
  for (const hash of ["", "#", "#L", "#L0", "#L-5", "#L1-L0", "#120", "#L1x", "#L1-L2-L3", "#l5", "#L1e3"]) {
    assert.equal(linesOfHash(hash), null, hash);
  }
  assert.equal(linesOfHash(`#L${"9".repeat(16)}`), null);
});

test("what an address is made of it gives back", () => {
  for (const lines of [{ first: 1, last: 1 }, { first: 5_000_000_000, last: 5_000_000_001 }]) {
    assert.deepEqual(linesOfHash(hashOfLines(lines)), lines);
  }
});

test("people write lines in many ways", () => {
  for (const text of ["120", " 120 ", "L120", "l120"]) assert.deepEqual(linesOfText(text), rangeOf(120, 120), text);
  for (const text of ["120-140", "120 – 140", "L120-L140", "120:140", "140-120"]) {
    assert.deepEqual(linesOfText(text), rangeOf(120, 140), text);
  }
  assert.deepEqual(linesOfText("8,000,000"), rangeOf(8_000_000, 8_000_000));
  for (const text of ["", "x", "0", "-", "12-"]) assert.equal(linesOfText(text), null, text);
});
