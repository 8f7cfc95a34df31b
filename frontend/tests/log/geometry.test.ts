import assert from "node:assert/strict";
import { test } from "node:test";

import {
  MAX_AREA_PX,
  ROW_PX,
  areaHeight,
  endPlace,
  isBefore,
  maxScroll,
  movePlace,
  placeAt,
  scrollTopOf,
  type Extent,
} from "../../src/log/geometry";

const flat = () => ROW_PX;
const extent = (lines: number, wrapped = false, firstLine = 0): Extent => ({
  firstLine,
  endLine: firstLine + lines,
  viewPx: 600,
  wrapped,
});

test("the area never grows beyond what browsers lay out, and never below the view", () => {
  assert.equal(areaHeight(extent(0)), 600);
  assert.equal(areaHeight(extent(100)), 100 * ROW_PX);
  assert.equal(areaHeight(extent(10_000_000)), MAX_AREA_PX);
});

test("unwrapped and unscaled, a px of the scrollbar is a px of text", () => {
  const some = extent(1000, false, 5000);
  assert.deepEqual(placeAt(1234, some), { line: 5000 + 68, hiddenPx: 1234 - 68 * ROW_PX });
  assert.equal(scrollTopOf({ line: 5068, hiddenPx: 10 }, some), 1234);
});

test("the end place puts the last line's bottom at the view's bottom", () => {
  const some = extent(1000);
  assert.equal(scrollTopOf(endPlace(some, flat), some), maxScroll(some));
  assert.deepEqual(endPlace(extent(3), flat), { line: 0, hiddenPx: 0 });
});

test("a scaled or wrapped log still reaches its first and last line by the scrollbar", () => {
  for (const some of [extent(5_000_000), extent(400, true)]) {
    assert.deepEqual(placeAt(0, some), { line: 0, hiddenPx: 0 });
    assert.equal(placeAt(maxScroll(some), some).line, some.endLine - 1);
  }
});

test("the scrollbar's position and the line agree both ways when scaled", () => {
  const some = extent(5_000_000);
  for (const line of [0, 1, 77_777, 2_500_000, 4_999_999]) {
    const back = placeAt(scrollTopOf({ line, hiddenPx: 9 }, some), some);
    assert.ok(Math.abs(back.line - line) <= 1, `${line} became ${back.line}`);
  }
});

test("moving by px goes over lines of different heights and back to the same place", () => {
  const some = extent(1000, true);
  const heights = (line: number) => (1 + (line % 5)) * ROW_PX;
  const start = { line: 500, hiddenPx: 7 };
  const moved = movePlace(start, 1000, some, heights);
  assert.ok(isBefore(start, moved));
  assert.deepEqual(movePlace(moved, -1000, some, heights), start);
});

test("moving stops at the first and at the last line", () => {
  const some = extent(100, false, 50);
  assert.deepEqual(movePlace({ line: 60, hiddenPx: 0 }, -1e6, some, flat), { line: 50, hiddenPx: 0 });
  assert.equal(movePlace({ line: 60, hiddenPx: 0 }, 1e6, some, flat).line, 149);
});

test("a place whose line has been dropped moves to the first line kept", () => {
  const some = extent(100, false, 1000);
  assert.equal(movePlace({ line: 10, hiddenPx: 5 }, 0, some, flat).line, 1000);
  assert.equal(scrollTopOf({ line: 10, hiddenPx: 5 }, some), 0);
});
