import assert from "node:assert/strict";
import { test } from "node:test";

import { RequestError } from "../../src/connection/protocol";
import {
  readAttached,
  readError,
  readExcerpt,
  readGap,
  readJobs,
  readNotice,
  readOutput,
  readRun,
  readRunPage,
  readSearchAnswer,
  readServiceChange,
} from "../../src/connection/reading";

const RUN = {
  id: "01",
  job: "count",
  params: { n: 1 },
  user: "local",
  state: "stopping",
  created: "2026-11-21T01:02:03.004Z",
  started: null,
  ended: null,
  exit: null,
  output_bytes: 12,
  executor: "thread",
  isolation: "thread",
  host: "h",
  stop_requested: "2026-11-21T01:02:04.000Z",
  stop_overdue: true,
};

test("a run is read with its times as ms", () => {
  const run = readRun(RUN);
  assert.equal(run.created, Date.UTC(2026, 10, 21, 1, 2, 3, 4));
  assert.equal(run.started, null);
  assert.equal(run.outputBytes, 12);
  assert.equal(run.stopOverdue, true);
});

test("a run without what was added later to the protocol is a run", () => {
  const { stop_requested: _r, stop_overdue: _o, ...older } = RUN;
  assert.equal(readRun(older).stopOverdue, false);
  assert.equal(readRun(older).stopRequested, null);
  const { queuePosition, waiting, progress, processes, stopGrace } = readRun(older);
  assert.deepEqual([queuePosition, waiting, progress, processes, stopGrace], [null, null, null, null, null]);
});

test("a run tells its place in the queue, what it waits for, how far it is and what was ended with it", () => {
  const told = readRun({
    ...RUN,
    queue_position: 3,
    waiting: { since: "2026-11-21T01:02:03.004Z", hidden: true, prompt: "Password: " },
    progress: { percent: 45.5, done: 9, total: 20, eta_seconds: 12.3, source: "tqdm", label: "Files" },
    processes: { ended: 3, left: 0 },
  });
  assert.equal(told.queuePosition, 3);
  assert.deepEqual(told.waiting, { since: Date.UTC(2026, 10, 21, 1, 2, 3, 4), hidden: true, prompt: "Password: " });
  assert.deepEqual(told.progress, {
    percent: 45.5,
    done: 9,
    total: 20,
    etaSeconds: 12.3,
    source: "tqdm",
    label: "Files",
  });
  assert.deepEqual(told.processes, { ended: 3, left: 0 });
});

test("what a job says of its progress is shown, however odd", () => {
  const progress = (said: object) => readRun({ ...RUN, progress: said }).progress;
  assert.equal(progress({ percent: 130, done: -1, total: null, source: "abacus" })?.percent, 100);
  assert.equal(progress({ eta_seconds: -0.2 })?.etaSeconds, 0);
  assert.deepEqual(progress({ done: 7 }), {
    percent: null,
    done: 7,
    total: null,
    etaSeconds: null,
    source: "bar",
    label: "",
  });
});

test("a job has its bounds and its kind; one of an older server has neither", () => {
  const bounds = { timeout: 60, cpu_seconds: null, memory_mib: 512, output_mib: 1.5, runs: 2, runs_per_user: 1 };
  const [bounded, older] = readJobs({ jobs: [{ name: "a", kind: "command", bounds }, { name: "b" }] });
  assert.equal(bounded?.kind, "command");
  assert.deepEqual(bounded?.bounds, {
    timeout: 60,
    cpuSeconds: null,
    memoryMib: 512,
    outputMib: 1.5,
    runs: 2,
    runsPerUser: 1,
  });
  assert.equal(older?.kind, "function");
  assert.ok(Object.values(older?.bounds ?? { some: 1 }).every((bound) => bound === null));
});

test("an exit is read with and without a code", () => {
  assert.deepEqual(readRun({ ...RUN, exit: { code: 3, reason: "x" } }).exit, { code: 3, reason: "x" });
  assert.deepEqual(readRun({ ...RUN, exit: { code: null, reason: "x" } }).exit, { code: null, reason: "x" });
});

test("what does not follow the protocol is refused at the border", () => {
  const wrong: [(value: unknown) => unknown, unknown][] = [
    [readRun, null],
    [readRun, [RUN]],
    [readRun, { ...RUN, state: "flying" }],
    [readRun, { ...RUN, id: 7 }],
    [readRun, { ...RUN, output_bytes: -1 }],
    [readRun, { ...RUN, created: "yesterday" }],
    [readRun, { ...RUN, waiting: "yes" }],
    [readRun, { ...RUN, progress: { percent: "half" } }],
    [readRun, { ...RUN, processes: { ended: 3 } }],
    [readJobs, { jobs: [{ name: "a", bounds: { timeout: "long" } }] }],
    [readRunPage, { runs: RUN }],
    [readSearchAnswer, { matches: [{ line: 1 }], next: null, searched: 0, end: 0 }],
    [readJobs, {}],
    [readAttached, { run: RUN }],
    [readOutput, { run: "01", offset: 0, data: "text", time: 0, stream: 1 }],
    [readOutput, { run: "01", offset: Number.NaN, data: new ArrayBuffer(1), time: 0 }],
    [readNotice, { active: true }],
  ];
  for (const [read, value] of wrong) {
    assert.throws(
      () => read(value),
      (error) => error instanceof RequestError && error.code === "malformed",
      JSON.stringify(value),
    );
  }
});

test("output's bytes are read from a buffer or a view of one", () => {
  const buffer = Uint8Array.of(1, 2, 3, 4).buffer;
  const event = { run: "01", offset: 5, time: 1, stream: 2 };
  assert.deepEqual([...readOutput({ ...event, data: buffer }).data], [1, 2, 3, 4]);
  assert.deepEqual([...readOutput({ ...event, data: new Uint8Array(buffer, 1, 2) }).data], [2, 3]);
});

test("the error of an acknowledgement is found, and a good one has none", () => {
  assert.equal(readError({ error: { code: "unknown_job", message: "No job x." } })?.code, "unknown_job");
  assert.equal(readError({ run: RUN }), null);
  assert.equal(readError(undefined), null);
});

const SERVICE = {
  state: "running",
  since: "2026-11-21T01:02:03.004Z",
  pid: 7,
  starts: 1,
  fault: "",
};

test("a job may have a service, and its changes come without a link", () => {
  const [job] = readJobs({ jobs: [{ name: "app", service: { href: "/app/", ...SERVICE } }] });
  assert.equal(job?.service?.href, "/app/");
  assert.equal(job?.service?.since, Date.UTC(2026, 10, 21, 1, 2, 3, 4));
  assert.equal(readJobs({ jobs: [{ name: "plain" }] })[0]?.service, null);
  assert.deepEqual(readServiceChange({ job: "app", service: { ...SERVICE, pid: null, since: null } }), {
    job: "app",
    status: { state: "running", since: null, pid: null, fault: "", held: false },
  });
});

test("a service that does not follow the protocol, or links to a script, is refused", () => {
  for (const service of [{ ...SERVICE, state: "flying" }, { ...SERVICE, href: "javascript:alert(1)" }, 1]) {
    assert.throws(() => readJobs({ jobs: [{ name: "app", service }] }), RequestError);
  }
  assert.throws(() => readServiceChange({ job: 1, service: SERVICE }), RequestError);
  assert.throws(() => readServiceChange({ job: "app" }), RequestError);
});

test("the pieces of an excerpt are cut out of its bytes, and gaps stand between them", () => {
  const data = new TextEncoder().encode("abcdef");
  const piece = { time: 5, stream: 1 };
  const items = [
    { ...piece, offset: 10, size: 2, line: 3 },
    { offset: 12, next: 20, line: 7 },
    { ...piece, offset: 20, size: 4, line: 7 },
  ];
  const excerpt = readExcerpt({ items, data, end: 99, end_line: 12 });
  const texts = excerpt.items.map((item) => ("next" in item ? item.next : new TextDecoder().decode(item.data)));
  assert.deepEqual(texts, ["ab", 20, "cdef"]);
  assert.deepEqual([excerpt.end, excerpt.endLine], [99, 12]);
  assert.throws(() => readExcerpt({ items, data: data.subarray(1), end: 99 }), RequestError);
});

test("a server that numbers no lines is understood", () => {
  assert.equal(readGap({ run: "r", offset: 1, next: 2 }).line, null);
  assert.equal(readAttached({ run: RUN, offset: 3 }).line, null);
  assert.equal(readAttached({ run: RUN, offset: 3, line: 2 }).line, 2);
});

test("a page of runs tells how to go on, and the last one that there is no more", () => {
  assert.equal(readRunPage({ runs: [RUN], next: "01" }).next, "01");
  assert.deepEqual(readRunPage({ runs: [], next: null }), { runs: [], next: null });
  assert.equal(readRunPage({ runs: [{ ...RUN, output_lines: 7 }] }).runs[0]?.outputLines, 7);
});

test("what the search counts in characters is counted as JavaScript does", () => {
  const text = "\u{1f600} tick \u{1f600} é tock";
  const match = { line: 3, offset: 40, text, start: 7, end: 10, cut: false };
  const answer = readSearchAnswer({ matches: [match], next: 99, searched: 10, end: 120 });
  const [found] = answer.matches;
  assert.ok(found);
  assert.equal(found.text.slice(found.start, found.end), "\u{1f600} é");
  assert.deepEqual([found.line, answer.next, answer.searched, answer.end], [3, 99, 10, 120]);
  assert.equal(readSearchAnswer({ matches: [], next: null, searched: 0, end: 0 }).next, null);
});
