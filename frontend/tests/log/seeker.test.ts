import assert from "node:assert/strict";
import { test } from "node:test";

import { Loader } from "../../src/log/loader";
import { RunLog } from "../../src/log/runlog";
import { Seeker } from "../../src/log/seeker";
import { FakeRun } from "./run";

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function stage() {
  const run = new FakeRun(Array.from({ length: 100_000 }, (_, n) => `line ${n + 1}`).join("\n"), 50_000);
  const log = new RunLog();
  const said: string[] = [];
  const state = { canAsk: true };
  const seeker = new Seeker(log, new Loader(log, run), {
    canAsk: () => state.canAsk,
    found: (row) => said.push(log.line(row).text),
    failed: (reason) => said.push(reason),
  });
  return { run, log, said, seeker, state };
}

test("a line that is there is found at once", () => {
  const { run, log, said, seeker } = stage();
  run.send(log, 1_000);
  seeker.seek(7);
  assert.deepEqual(said, ["line 7"]);
});

test("a line that is to come is waited for, and the server asked once whether it is", async () => {
  const { run, log, said, seeker } = stage();
  seeker.seek(500);
  await settled();
  for (let n = 0; n < 20; n += 1) {
    run.send(log, 200);
    await seeker.changed();
  }
  assert.deepEqual(said, []);
  assert.deepEqual(run.reads, [{ line: 500 }]);
  run.send(log, 2_000);
  await seeker.changed();
  assert.deepEqual(said, ["line 500"]);
});

test("a line of which it turns out that it is in a hole is loaded", async () => {
  const { run, log, said, seeker } = stage();
  seeker.seek(50_000);
  run.skipTo(log, 99_990);
  await settled();
  await settled();
  assert.deepEqual(said, ["line 50000"]);
});

test("a line that there is not is said to be none", async () => {
  const { run, log, said, seeker } = stage();
  run.send(log, 1_000);
  seeker.seek(100_001);
  await settled();
  assert.deepEqual(said, ["There is no such line."]);
  await seeker.changed();
  assert.equal(said.length, 1);
});

test("without a connection it waits for one", async () => {
  const { run, said, seeker, state } = stage();
  state.canAsk = false;
  seeker.seek(100_001);
  await settled();
  assert.deepEqual([said, run.reads], [[], []]);
  state.canAsk = true;
  await seeker.changed();
  assert.deepEqual(said, ["There is no such line."]);
});

test("what is sought later counts, also while something is being loaded", async () => {
  const { run, log, said, seeker } = stage();
  run.skipTo(log, 99_990);
  run.send(log, 1_000);
  seeker.seek(50_000);
  seeker.seek(20_000);
  await settled();
  await settled();
  assert.deepEqual(said, ["line 20000"]);
  seeker.seek(90_000);
  seeker.cancel();
  await settled();
  assert.deepEqual(said, ["line 20000"]);
});
