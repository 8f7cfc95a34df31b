import assert from "node:assert/strict";
import { test } from "node:test";

import { readRun } from "../../src/connection/reading";
import { elapsedOf, exitText, formatBytes, formatElapsed, formatWhen, paramsText } from "../../src/page/format";
import { pathOfRun, runOfPath } from "../../src/page/permalink";
import { RunStore } from "../../src/page/runstore";

const run = (id: string, state: string, more: Record<string, unknown> = {}) =>
  readRun({ id, job: "count", params: {}, state, output_bytes: 0, ...more });

test("durations are shown in minutes, and in hours once there are some", () => {
  assert.equal(formatElapsed(7_900), "0:07");
  assert.equal(formatElapsed(723_000), "12:03");
  assert.equal(formatElapsed(3_723_000), "1:02:03");
  assert.equal(formatElapsed(-5), "0:00");
});

test("sizes change the unit where the number would grow long", () => {
  assert.equal(formatBytes(0), "0 B");
  assert.equal(formatBytes(999), "999 B");
  assert.equal(formatBytes(1_000), "1.0 kB");
  assert.equal(formatBytes(999_999), "1.0 MB");
  assert.equal(formatBytes(123_456_789), "123 MB");
});

test("a run that has ended keeps the time it took", () => {
  const times = { started: "2026-11-21T01:00:00Z", ended: "2026-11-21T01:00:09Z" };
  assert.equal(elapsedOf(run("1", "failed", times), Date.now()), 9000);
  assert.equal(elapsedOf(run("1", "queued"), Date.now()), null);
});

test("how a run ended is told without repeating its state", () => {
  assert.equal(exitText(run("1", "succeeded", { exit: { code: 0, reason: "succeeded" } })), "");
  assert.equal(
    exitText(run("1", "failed", { exit: { code: 1, reason: "ValueError: x" } })),
    "ValueError: x · exit code 1",
  );
});

test("an exit code that the reason tells is not told twice", () => {
  const exit = (code: number, reason: string) => exitText(run("1", "failed", { exit: { code, reason } }));
  assert.equal(exit(2, "exited with code 2"), "exited with code 2");
  assert.equal(exit(2, "exited with code 23"), "exited with code 23 · exit code 2");
});

test("a run's address leads back to it, under any prefix", () => {
  for (const base of ["/", "/tools/realtime/"]) {
    assert.equal(runOfPath(pathOfRun("01abc", base), base), "01abc");
    assert.equal(runOfPath(pathOfRun("01 é%", base), base), "01 é%");
    assert.equal(runOfPath(base, base), null);
  }
});

test("addresses of other things name no run", () => {
  for (const path of ["/runs/", "/runs/a/b", "/other/1", "/runs/%"]) assert.equal(runOfPath(path, "/"), null);
});

test("runs are listed newest first, and those under way are found by job", () => {
  const store = new RunStore();
  store.putAll([run("1", "succeeded"), run("3", "running"), run("2", "queued")]);
  assert.deepEqual(store.newest(2).map((each) => each.id), ["3", "2"]);
  assert.deepEqual(store.active("count").map((each) => each.id), ["3", "2"]);
  assert.deepEqual(store.active("other"), []);
});

test("an older record that arrives late does not bring an ended run back to life", () => {
  const store = new RunStore();
  store.put(run("1", "failed"));
  store.put(run("1", "running"));
  store.putAll([run("1", "stopping")]);
  assert.equal(store.get("1")?.state, "failed");
});

test("a list does not undo what was told of a run since it was asked for", () => {
  const store = new RunStore();
  const waiting = { waiting: { hidden: false, prompt: "Name:" } };
  store.put(run("1", "running"));
  const asked = store.moment;
  store.put(run("1", "running", waiting));
  store.putAll([run("1", "running")], asked);
  assert.equal(store.get("1")?.waiting?.prompt, "Name:");
  store.putAll([run("1", "running", { output_bytes: 9 })], store.moment);
  assert.deepEqual([store.get("1")?.waiting, store.get("1")?.outputBytes], [null, 9]);
  store.put(run("1", "running", waiting));
  store.putAll([run("1", "succeeded")], asked);
  assert.equal(store.get("1")?.state, "succeeded");
});

test("a lost run goes on when its server says so, but not for an older list", () => {
  const store = new RunStore();
  store.put(run("1", "lost"));
  store.putAll([run("1", "running")]);
  assert.equal(store.get("1")?.state, "lost");
  store.put(run("1", "running"));
  assert.equal(store.get("1")?.state, "running");
});

test("runs are found by job however many others there are, also those that come later", () => {
  const store = new RunStore();
  store.putAll([run("1", "succeeded"), run("2", "failed", { job: "other", user: "ann" })]);
  assert.deepEqual(store.latest("count").map((each) => each.id), ["1"]);
  store.put(run("3", "running", { user: "bob" }));
  assert.deepEqual(store.latest("count").map((each) => each.id), ["3"]);
  assert.deepEqual(store.all("user"), ["", "ann", "bob"]);
  assert.deepEqual(store.all("job"), ["count", "other"]);
});

test("a moment is told as short as it can be, and with its year when that is another", () => {
  const now = new Date(2026, 10, 21, 12, 0, 0).getTime();
  assert.match(formatWhen(new Date(2026, 10, 21, 9, 5, 7).getTime(), now), /^09:05:07$/);
  assert.match(formatWhen(new Date(2026, 9, 3, 9, 5, 7).getTime(), now), /3.*09:05:07/);
  const lastYear = formatWhen(new Date(2025, 9, 3, 9, 5, 7).getTime(), now);
  assert.match(lastYear, /2025.*09:05$/);
});

test("what a run was started with is told in one line, without what was left empty", () => {
  const params = { space: "Sales", lines: 10, label: "", since: null, deep: { a: [1] }, table: { name: "a.csv", bytes: 4200 } };
  assert.equal(
    paramsText(run("1", "queued", { params })),
    'deep={"a":[1]}  lines=10  space=Sales  table=a.csv (4.2 kB)',
  );
});
