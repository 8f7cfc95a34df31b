import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { RequestError } from "../../src/connection/protocol";
import { readReport } from "../../src/connection/report";
import { answerOf, coresText, processRows, reportText, stackLines } from "../../src/page/reportwords";

const report = (more: object = {}) =>
  readReport({ report: { time: "2026-11-21T01:02:03.000Z", silent_seconds: 42.4, doing: "sleeping", ...more } });

const frame = (file: string, line: number, code = "") => ({ file, line, function: "work", code });

const thread = (...stack: object[]) => ({ name: "MainThread", ident: 7, doing: "sleeping", stack });

describe("a report", () => {
  it("is read with all that it may lack", () => {
    const read = readReport({ report: { silent_seconds: 3 } });
    assert.deepEqual([read.processes, read.threads, read.waiting, read.cpuPercent], [[], [], null, null]);
  });

  it("that does not follow the protocol is refused", () => {
    for (const wrong of [null, {}, { report: {} }, { report: { silent_seconds: 1, processes: [{}] } }]) {
      assert.throws(() => readReport(wrong), RequestError);
    }
  });

  it("says what it waits for first", () => {
    const waiting = { since: null, hidden: false, prompt: "Your name: " };
    assert.equal(answerOf(report({ waiting, doing: "waiting for input" })), "It waits for input: “Your name:”");
    assert.equal(answerOf(report({ waiting: { ...waiting, prompt: "" } })), "It waits for input.");
  });

  it("says how much it computes, and where", () => {
    assert.equal(answerOf(report({ doing: "computing", cpu_percent: 98.3 })), "It computes: 98 % of a core.");
    const threads = [thread(frame("/jobs/spin.py", 4, "x += 1"))];
    assert.equal(
      answerOf(report({ doing: "computing", cpu_percent: 98.3, threads })),
      "It computes: 98 % of a core, in line 4 of spin.py: x += 1",
    );
    assert.equal(coresText(243), "2.4 cores");
  });

  it("says in which line of the job it sleeps, not of a library that the job called", () => {
    const job = frame("/srv/jobs/greet.py", 12, "    time.sleep(60)");
    assert.equal(answerOf(report({ threads: [thread(job)] })), "It sleeps in line 12 of greet.py: time.sleep(60)");
    const library = frame("/usr/lib/python3.12/subprocess.py", 500, "self.wait()");
    const installed = frame("/srv/venv/lib/python3.12/site-packages/a/b.py", 5);
    const frozen = frame("<frozen runpy>", 1);
    assert.equal(
      answerOf(report({ threads: [thread(frozen, job, installed, library)] })),
      "It sleeps in line 12 of greet.py: time.sleep(60)",
    );
    assert.equal(
      answerOf(report({ threads: [thread(frozen, library)] })),
      "It sleeps in line 500 of subprocess.py: self.wait()",
    );
  });

  it("says where the coroutine of an event loop waits, and which thread it is that computes", () => {
    const loop = thread(frame("/jobs/a.py", 9, "asyncio.run(main())"), frame("/usr/lib/python3.12/selectors.py", 4));
    const task = { ...thread(frame("/jobs/a.py", 5, "await asyncio.sleep(9)")), name: "Task-1" };
    assert.equal(answerOf(report({ threads: [loop, task] })), "It sleeps in line 5 of a.py: await asyncio.sleep(9)");
    assert.equal(answerOf(report({ threads: [loop] })), "It sleeps in line 9 of a.py: asyncio.run(main())");
    const busy = { ...thread(frame("/jobs/a.py", 3, "spin()")), doing: "computing" };
    const computing = report({ doing: "computing", threads: [task, busy], cpu_percent: 99 });
    assert.equal(answerOf(computing), "It computes: 99 % of a core, in line 3 of a.py: spin()");
  });

  it("of a command names the process that it waits for, or that computes", () => {
    const processes = [
      { pid: 1, parent: 0, command: "sh run.sh", state: "S", cpu_percent: 0 },
      { pid: 2, parent: 1, command: "gzip -9", state: "R", cpu_percent: 98 },
      { pid: 3, parent: 1, command: "sleep 60", state: "S", cpu_percent: 0 },
    ];
    assert.equal(answerOf(report({ processes })), "It sleeps in process 3: sleep 60");
    const computing = report({ processes, doing: "computing", cpu_percent: 98 });
    assert.equal(answerOf(computing), "It computes: 98 % of a core, in process 2: gzip -9");
  });

  it("of something without a stack says what is known", () => {
    assert.equal(answerOf(report()), "It sleeps.");
    assert.equal(answerOf(report(), true), "Before it ended: it sleeps.");
    assert.equal(answerOf(report({ doing: "reading a disk" })), "It is reading a disk.");
    assert.equal(answerOf(report({ doing: "" })), "It does nothing that can be told.");
    assert.match(answerOf(report({ doing: "waiting for room" })), /output has been taken/);
  });

  const process = (pid: number, parent: number, command = `p${pid}`) => ({ pid, parent, command, state: "S" });

  it("has its processes as a tree, whatever their order, and loses none", () => {
    const told = report({ processes: [process(3, 2), process(1, 99), process(2, 1), process(4, 1), process(5, 5)] });
    assert.deepEqual(
      processRows(told.processes).map(({ depth, pid }) => [depth, pid]),
      [[0, "1"], [1, "2"], [2, "3"], [1, "4"], [0, "5"]],
    );
    assert.equal(processRows(told.processes)[0]?.state, "sleeping");
  });

  it("has the innermost call of each stack first", () => {
    const [first] = report({ threads: [thread(frame("a.py", 1, "b()"), frame("b.py", 2, "sleep()"))] }).threads;
    assert.ok(first);
    assert.deepEqual(stackLines(first), ["b.py:2 in work\n    sleep()", "a.py:1 in work\n    b()"]);
  });

  it("is copied as text", () => {
    const told = report({
      note: "The threads do not answer.",
      processes: [{ ...process(1, 0, "sh run.sh"), memory_bytes: 2_000_000, cpu_percent: 0, seconds: 61 }, process(2, 1)],
      threads: [thread(frame("/jobs/a.py", 1, "b()"))],
    });
    assert.equal(
      reportText(told, "Greet 01ab"),
      `Greet 01ab, 2026-11-21T01:02:03.000Z
Silent for 42 s. It sleeps in line 1 of a.py: b()
The threads do not answer.

Processes:
  1 sh run.sh (sleeping, 0 %, 2.0 MB, 1 min 1 s)
    2 p2 (sleeping)

MainThread, sleeping, innermost call first:
  /jobs/a.py:1 in work
      b()
`,
    );
  });
});
