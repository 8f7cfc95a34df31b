import assert from "node:assert/strict";
import { test } from "node:test";

import { Cursor } from "../../src/connection/cursor";

test("bytes at the cursor are taken whole and move it", () => {
  const cursor = new Cursor(10);
  assert.deepEqual(cursor.accept(10, 5), { kind: "take", skip: 0 });
  assert.equal(cursor.offset, 15);
});

test("bytes that overlap what was taken are taken from where they are new", () => {
  const cursor = new Cursor(10);
  assert.deepEqual(cursor.accept(6, 10), { kind: "take", skip: 4 });
  assert.equal(cursor.offset, 16);
});

test("bytes that were all taken before are a repeat", () => {
  const cursor = new Cursor(10);
  assert.deepEqual(cursor.accept(4, 6), { kind: "repeat" });
  assert.equal(cursor.offset, 10);
});

test("bytes beyond the cursor are a jump and do not move it", () => {
  const cursor = new Cursor(10);
  assert.deepEqual(cursor.accept(12, 3), { kind: "jump", missing: 2 });
  assert.equal(cursor.offset, 10);
});

test("a gap moves the cursor over what it has not seen only", () => {
  const cursor = new Cursor(10);
  assert.equal(cursor.skipGap(4, 16), 6);
  assert.equal(cursor.offset, 16);
  assert.equal(cursor.skipGap(0, 12), 0);
  assert.equal(cursor.offset, 16);
});

test("a gap beyond the cursor is refused: what lies before it is missing", () => {
  const cursor = new Cursor(10);
  assert.equal(cursor.skipGap(11, 20), null);
  assert.equal(cursor.offset, 10);
});

test("however chunks overlap and repeat, the bytes taken are the sequence, once", () => {
  const source = Uint8Array.from({ length: 500 }, (_, index) => index % 251);
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  const cursor = new Cursor();
  const taken: number[] = [];
  while (cursor.offset < source.length) {
    const offset = random(source.length);
    const chunk = source.subarray(offset, offset + 1 + random(60));
    const arrival = cursor.accept(offset, chunk.length);
    if (arrival.kind === "take") taken.push(...chunk.subarray(arrival.skip));
  }
  assert.deepEqual(taken, [...source]);
});
