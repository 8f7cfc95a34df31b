import assert from "node:assert/strict";
import { test } from "node:test";

import { readJobs, readRun } from "../../src/connection/reading";
import { ApiError, type RunQuery } from "../../src/page/api";
import { faultsOf, folderOf } from "../../src/page/jobfaults";
import { boundsText, jobText } from "../../src/page/jobwords";
import { LastRuns } from "../../src/page/lastruns";
import { again } from "../../src/page/lastvalues";
import { RunStore } from "../../src/page/runstore";
import { readUpload } from "../../src/page/uploads";

const SCHEMA = {
  properties: {
    city: { type: "string" },
    days: { type: "integer", maximum: 14, default: 3 },
    tags: { type: "array", items: { enum: ["a", "b"] }, default: [] },
    key: { anyOf: [{ type: "string", format: "password", writeOnly: true }, { type: "null" }], default: null },
  },
  required: ["city"],
};

const run = (id: string, more: Record<string, unknown> = {}) =>
  readRun({ id, job: "count", params: {}, user: "ann", state: "succeeded", output_bytes: 0, ...more });

test("a run whose parameters all fit can be started again as it was", () => {
  const params = { city: "Oslo", days: 3, tags: ["a"], key: null };
  const { key: _, ...kept } = params;
  assert.deepEqual(again(SCHEMA, params), { params: kept, missing: [] });
});

test("a secret is asked for again where one was given, and its mask is not sent", () => {
  const { params, missing } = again(SCHEMA, { city: "Oslo", days: 3, tags: [], key: "***" });
  assert.deepEqual(missing, ["key"]);
  assert.equal("key" in params, false);
});

test("a file is asked for again where there was one", () => {
  const upload = { anyOf: [{ type: "string", format: "upload" }, { type: "null" }], default: null };
  const schema = { properties: { file: upload }, required: [] };
  assert.deepEqual(again(schema, { file: { name: "a.csv", bytes: 3 } }), { params: {}, missing: ["file"] });
  assert.deepEqual(again(schema, { file: null }), { params: {}, missing: [] });
});

test("what the job does not take any more is left out, and asked for", () => {
  const { params, missing } = again(SCHEMA, { city: "Oslo", days: 99, tags: ["c"] });
  assert.deepEqual(params, { city: "Oslo" });
  assert.deepEqual(missing, ["days", "tags"]);
  assert.deepEqual(again(SCHEMA, { days: 3 }).missing, ["city"]);
});

test("bounds are told in words, with what happens beyond them", () => {
  const bounds = (given: Record<string, number>) => readJobs({ jobs: [{ name: "a", bounds: given }] })[0]?.bounds;
  const told = (given: Record<string, number>) => {
    const read = bounds(given);
    assert.ok(read);
    return boundsText(read);
  };
  assert.equal(told({}), "");
  assert.equal(told({ timeout: 60, memory_mib: 512, runs: 2 }), "at most 60 s, 512 MiB memory, 2 at once; others wait");
  assert.equal(
    told({ timeout: 5400, cpu_seconds: 0.5, output_mib: 1024, runs_per_user: 1 }),
    "at most 90 min, 0.5 s CPU, 1 GiB output, 1 per user at once; others wait",
  );
  assert.equal(told({ timeout: 9000 }), "at most 2 h 30 min");
  assert.equal(told({ timeout: 3600 }), "at most 1 h");
});

test("how a job runs is told where it is not plain", () => {
  const told = (job: Record<string, unknown>) => {
    const [read] = readJobs({ jobs: [{ name: "a", ...job }] });
    assert.ok(read);
    return jobText(read);
  };
  assert.equal(told({ kind: "function", isolation: "thread" }), "");
  assert.equal(told({ kind: "function", isolation: "process" }), "own process");
  assert.equal(told({ kind: "command", isolation: "process", bounds: { timeout: 9 } }), "command · at most 9 s");
});

test("faults of the jobs folder are read line by line", () => {
  const faults = faultsOf(
    "/home/ann/jobs/broken.py:3: SyntaxError: invalid syntax\n" +
      "/home/ann/jobs/backup.toml: unknown key \"timout\": did you mean timeout?\n" +
      "  it takes these: a, b",
  );
  assert.deepEqual(faults, [
    { place: "/home/ann/jobs/broken.py:3", message: "SyntaxError: invalid syntax" },
    {
      place: "/home/ann/jobs/backup.toml",
      message: 'unknown key "timout": did you mean timeout?\n  it takes these: a, b',
    },
  ]);
  assert.equal(folderOf(faults), "/home/ann/jobs/");
  assert.equal(folderOf([...faults, { place: "/other/x.py", message: "" }]), "");
  assert.deepEqual(faultsOf("something else"), [{ place: "", message: "something else" }]);
});

test("an upload is read from the server's answer, and a refusal keeps its words", () => {
  assert.deepEqual(readUpload(201, '{"upload": "u1", "name": "a.csv", "bytes": 3}'), {
    id: "u1",
    name: "a.csv",
    bytes: 3,
  });
  const refusal = (status: number, text: string, said: RegExp, code: string) =>
    assert.throws(
      () => readUpload(status, text),
      (error) => error instanceof ApiError && said.test(error.message) && error.code === code,
    );
  refusal(413, '{"detail": "at most 5 MiB", "code": "upload_too_large"}', /at most 5 MiB/, "upload_too_large");
  refusal(502, "<html>bad gateway</html>", /answered 502/, "");
  refusal(200, "{}", /did not say/, "malformed");
});

test("the last run of a job is this user's, from what is here or else from the server", async () => {
  const store = new RunStore();
  const asked: RunQuery[] = [];
  const last = new LastRuns(store, "ann", async (query) => {
    asked.push(query);
    return { runs: [run("1", { job: "old" })], next: null };
  });
  const seen = Promise.resolve();
  const waiting = last.of("count", new Promise(() => undefined));
  store.putAll([run("4", { user: "bob" }), run("3"), run("2")]);
  last.begin(true);
  assert.equal((await waiting)?.id, "3");
  assert.deepEqual(asked, []);
  assert.equal((await last.of("old", seen))?.id, "1");
  assert.deepEqual(asked, [{ filter: { job: "old", state: "", user: "ann" }, before: null, limit: 1 }]);
  last.begin(false);
  assert.equal(await last.of("never", seen), null);
  assert.equal(asked.length, 1);
});
