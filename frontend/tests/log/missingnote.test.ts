import assert from "node:assert/strict";
import { test } from "node:test";

import { sentence } from "../../src/log/missingnote";
import type { Missing } from "../../src/terminal/types";

const HOLE: Missing = {
  bytes: 12,
  firstNumber: 3,
  lastNumber: 9,
  isGone: false,
  hasBefore: true,
  hasAfter: true,
  isLoading: false,
  failure: "",
};

test("a row for missing output says how much, which lines, and why", () => {
  assert.equal(sentence(HOLE), "12 bytes not loaded (lines 3 to 9)");
  assert.equal(sentence({ ...HOLE, lastNumber: 3 }), "12 bytes not loaded (in line 3)");
  assert.equal(sentence({ ...HOLE, isLoading: true }), "12 bytes loading… (lines 3 to 9)");
  assert.equal(sentence({ ...HOLE, isGone: true }), "12 bytes no longer kept (lines 3 to 9)");
  assert.equal(sentence({ ...HOLE, failure: "Away." }), "12 bytes not loaded:");
});
