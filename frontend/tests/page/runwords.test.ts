import assert from "node:assert/strict";
import { test } from "node:test";

import { readRun } from "../../src/connection/reading";
import {
  boundText,
  formatDuration,
  isAlarming,
  isAsking,
  leftText,
  labelledProgress,
  ordinal,
  processesText,
  progressOf,
  progressText,
  queueText,
  silenceText,
  stoppingText,
  underWayText,
  workerText,
} from "../../src/page/runwords";

const run = (state: string, more: Record<string, unknown> = {}) =>
  readRun({ id: "1", job: "count", state, output_bytes: 0, isolation: "process", ...more });

const progress = (said: Record<string, unknown>) => {
  const read = run("running", { progress: said }).progress;
  assert.ok(read);
  return read;
};

test("places in a line are told as people say them", () => {
  assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 102].map(ordinal), [
    "1st",
    "2nd",
    "3rd",
    "4th",
    "11th",
    "12th",
    "13th",
    "21st",
    "102nd",
  ]);
});

test("a queued run tells its place, if its server does, and no other run has one", () => {
  assert.equal(queueText(run("queued", { queue_position: 3 })), "waiting, 3rd in line");
  assert.equal(queueText(run("queued", { queue_position: 1 })), "waiting, 1st in line");
  assert.equal(queueText(run("queued")), "");
  assert.equal(queueText(run("running", { queue_position: 3 })), "");
});

test("a queued run on a worker says which it waits for", () => {
  assert.equal(queueText(run("queued", { queue: "default" })), "waiting for a worker");
  assert.equal(queueText(run("queued", { queue: "gpu" })), "waiting for a worker of gpu");
  assert.equal(queueText(run("running", { queue: "gpu" })), "");
});

test("a run tells on which worker it is, and that it was begun again", () => {
  assert.equal(workerText(run("running", { host: "box" })), "");
  assert.equal(workerText(run("queued", { queue: "default", host: "" })), "");
  assert.equal(workerText(run("running", { queue: "default", host: "box" })), "on box");
  const again = { queue: "gpu", host: "box", attempt: 2, attempts: 3 };
  assert.equal(workerText(run("running", again)), "on box, attempt 2 of 3");
  assert.equal(workerText(run("queued", { ...again, host: "" })), "attempt 2 of 3");
});

test("a duration has the two units that matter", () => {
  const told = [0, 0.4, 12.4, 59.4, 60, 200, 599, 600, 3599, 3600, 7500, 86_400, 100_000].map(formatDuration);
  assert.deepEqual(told, [
    "0 s",
    "0 s",
    "12 s",
    "59 s",
    "1 min",
    "3 min 20 s",
    "9 min 59 s",
    "10 min",
    "59 min",
    "1 h",
    "2 h 5 min",
    "1 d",
    "1 d 3 h",
  ]);
});

test("progress is percent and time left; it is whole only once all is done", () => {
  assert.equal(progressText(progress({ percent: 45.2, eta_seconds: 12.3 })), "45 %, 12 s left");
  assert.equal(progressText(progress({ percent: 99.7 })), "99 %");
  assert.equal(progressText(progress({ percent: 100, eta_seconds: 0 })), "100 %");
});

test("progress without a total is a count", () => {
  assert.equal(progressText(progress({ done: 1234 })), "1,234 so far");
  assert.equal(progressText(progress({ done: 2.55, total: 0 })), "2.6 of 0");
  assert.equal(progressText(progress({})), "");
});

test("progress has the job's name for it where there is room", () => {
  assert.equal(labelledProgress(progress({ percent: 45, label: " Files " })), "Files: 45 %");
  assert.equal(labelledProgress(progress({ label: "Files" })), "Files");
  assert.equal(labelledProgress(progress({ percent: 45 })), "45 %");
});

test("only a run under way has progress", () => {
  const said = { progress: { percent: 45 } };
  assert.equal(progressOf(run("succeeded", said)), null);
  assert.equal(progressOf(run("stopping", said))?.percent, 45);
  assert.equal(underWayText(run("failed", said)), "");
  assert.equal(underWayText(run("running", said)), "45 %");
  assert.equal(underWayText(run("queued", { queue_position: 2 })), "waiting, 2nd in line");
});

test("a run that is being stopped asks nobody any more", () => {
  const waiting = { waiting: { since: null, hidden: false, prompt: "Name: " } };
  assert.equal(isAsking(run("running", waiting)), true);
  assert.equal(isAsking(run("stopping", waiting)), false);
  assert.equal(isAsking(run("running")), false);
  assert.equal(isAsking(undefined), false);
});

test("how many processes were ended is told when there were any, and those left are an alarm", () => {
  const ended = (processes: unknown) => run("stopped", { processes });
  assert.equal(processesText(ended({ ended: 3, left: 0 }).processes), "3 processes ended, 0 left");
  assert.equal(processesText(ended({ ended: 1, left: 2 }).processes), "1 process ended, 2 left");
  assert.equal(processesText(ended({ ended: 0, left: 0 }).processes), "");
  assert.equal(processesText(ended(null).processes), "");
  assert.equal(isAlarming(ended({ ended: 1, left: 2 })), true);
  assert.equal(isAlarming(ended({ ended: 1, left: 0 })), false);
  assert.equal(leftText(ended({ ended: 1, left: 2 })), "2 processes left");
  assert.equal(leftText(ended({ ended: 1, left: 0 })), "");
});

test("a silence is told once it is long, unless it is known what the run waits for", () => {
  const started = Date.UTC(2026, 10, 21, 1, 0, 0);
  const told = (state: string, lastSeconds: number | null, nowSeconds: number, more: object = {}) => {
    const last = lastSeconds === null ? null : started + lastSeconds * 1000;
    const each = run(state, { started: "2026-11-21T01:00:00Z", ...more });
    return silenceText(each, last, started + nowSeconds * 1000);
  };
  assert.equal(told("running", null, 29), "");
  assert.equal(told("running", null, 37), "silent for 37 s");
  assert.equal(told("running", 60, 80), "");
  assert.equal(told("stopping", 60, 200), "silent for 2 min 20 s");
  assert.equal(told("running", 60, 200, { waiting: { hidden: false, prompt: "" } }), "");
  assert.equal(told("failed", 60, 200), "");
  assert.equal(told("running", -900, 20), "");
  assert.equal(silenceText(undefined, null, 0), "");
});

test("Stop of a process counts down to force, as far as the server says when that is", () => {
  const requested = Date.UTC(2026, 10, 21, 1, 0, 0);
  const stopping = (more: object) => run("stopping", { stop_requested: "2026-11-21T01:00:00Z", ...more });
  const told = (more: object, seconds: number) => stoppingText(stopping(more), requested + seconds * 1000);
  assert.equal(told({ stop_grace: 5 }, 1.2), "asking… 4 s until it is ended by force");
  assert.equal(told({ stop_grace: 5 }, -3), "asking… 5 s until it is ended by force");
  assert.equal(told({ stop_grace: 5 }, 6), "ending it by force…");
  assert.equal(told({}, 1), "asking it to end…");
  assert.equal(told({ stop_grace: 5, isolation: "thread" }, 1), "");
  assert.equal(told({ isolation: "thread", stop_overdue: true }, 6), "the job ignores Stop");
});

test("a run that nobody asked to stop says why it was, in its header and in the lists, until it has ended", () => {
  const why = { stop_reason: "it took longer than 60 s (timeout)" };
  const requested = { stop_requested: "2026-11-21T01:00:00Z" };
  const now = Date.UTC(2026, 10, 21, 1, 0, 1);
  const asked = run("stopping", { ...why, ...requested, stop_grace: 5 });
  assert.equal(stoppingText(asked, now), "it took longer than 60 s (timeout) · asking… 4 s until it is ended by force");
  assert.equal(stoppingText(run("stopping", { ...why, isolation: "thread" }), now), why.stop_reason);
  assert.equal(underWayText(asked), why.stop_reason);
  assert.equal(boundText(asked), "timeout");
  assert.equal(boundText(run("stopping", { stop_reason: "nobody watched it for 5 s" })), "nobody watched it for 5 s");
  assert.equal(boundText(run("running", why)), "");
  const progress = { percent: 45, eta_seconds: 12 };
  assert.equal(underWayText(run("stopping", { ...why, progress })), why.stop_reason);
  assert.equal(underWayText(run("stopping", { progress })), "45 %, 12 s left");
  assert.equal(underWayText(run("failed", why)), "");
  assert.equal(stoppingText(run("failed", why), now), "");
});
