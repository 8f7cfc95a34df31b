import assert from "node:assert/strict";
import { test } from "node:test";

import { readRun } from "../../src/connection/reading";
import { addressOf, ANY_RUN, matches, placeOf, type Place } from "../../src/page/place";

const at = (address: string) => {
  const { pathname, search } = new URL(address, "http://localhost");
  return { pathname, search };
};

test("an address leads back to what it stands for, under any prefix", () => {
  const places: Place[] = [
    { kind: "start" },
    { kind: "run", run: "01abc" },
    { kind: "history", filter: ANY_RUN },
    { kind: "history", filter: { job: "list spaces&x", state: "failed", user: "ann@example.org" } },
  ];
  for (const base of ["/", "/tools/realtime/"]) {
    for (const place of places) assert.deepEqual(placeOf(at(addressOf(place, base)), base), place);
  }
});

test("the list of all runs is not taken for a run, with a slash or without", () => {
  assert.equal(placeOf(at("/runs"), "/").kind, "history");
  assert.equal(placeOf(at("/runs/"), "/").kind, "history");
  assert.equal(placeOf(at("/runs/01"), "/").kind, "run");
  assert.equal(placeOf(at("/runs"), "/realtime/").kind, "start");
});

test("a state that there is not filters nothing", () => {
  const place = placeOf(at("/runs?state=flying&job=count&color=red"), "/");
  assert.deepEqual(place, { kind: "history", filter: { ...ANY_RUN, job: "count" } });
});

test("a filter takes what is like it in everything that it names", () => {
  const run = readRun({ id: "1", job: "count", user: "ann", state: "failed", output_bytes: 0 });
  assert.equal(matches(ANY_RUN, run), true);
  assert.equal(matches({ job: "count", state: "failed", user: "ann" }, run), true);
  assert.equal(matches({ job: "count", state: "lost", user: "" }, run), false);
  assert.equal(matches({ job: "counter", state: "", user: "" }, run), false);
  assert.equal(matches({ job: "", state: "", user: "bob" }, run), false);
});
