import assert from "node:assert/strict";
import { test } from "node:test";

import { LogWriter, type WriterClock } from "../../src/log/writer";

/** Each step of the model takes as long as the test says; slices run when the test says. */
class HandClock implements WriterClock {
  time = 0;
  tasks: (() => void)[] = [];
  now(): number {
    return this.time;
  }
  soon(task: () => void): void {
    this.tasks.push(task);
  }
  /** Runs one slice; gives whether there was one. */
  slice(): boolean {
    const task = this.tasks.shift();
    task?.();
    return task !== undefined;
  }
}

function stage(msPerStep: number) {
  const clock = new HandClock();
  const written: string[] = [];
  let notified = 0;
  const model = {
    write(data: Uint8Array) {
      clock.time += msPerStep;
      written.push(new TextDecoder().decode(data));
    },
    gap(bytes: number) {
      written.push(`<${bytes}>`);
    },
  };
  const writer = new LogWriter(model, () => (notified += 1), clock);
  return { clock, written, writer, notified: () => notified };
}

const bytes = (text: string) => new TextEncoder().encode(text);

test("output is acknowledged only after it has been written", () => {
  const { clock, written, writer } = stage(0.1);
  let done = false;
  writer.write(bytes("abc"), 1, 0, () => {
    assert.deepEqual(written, ["abc"]);
    done = true;
  });
  assert.equal(done, false);
  clock.slice();
  assert.equal(done, true);
});

test("a flood is written in slices of bounded time, in order and whole", () => {
  const { clock, written, writer } = stage(3);
  const flood = "x".repeat(200_000);
  writer.write(bytes(flood), 1, 0, () => undefined);
  writer.gap(5);
  writer.write(bytes("end"), 2, 0, () => undefined);
  let before = clock.time;
  while (clock.slice()) {
    assert.ok(clock.time - before <= 12, `one slice took ${clock.time - before} ms`);
    before = clock.time;
  }
  assert.equal(written.join(""), `${flood}<5>end`);
});

test("the page is told once for each slice", () => {
  const { clock, writer, notified } = stage(0);
  for (let piece = 0; piece < 50; piece += 1) writer.write(bytes("a"), 1, 0, () => undefined);
  clock.slice();
  assert.equal(notified(), 1);
});

test("what is queued when the log is reset is acknowledged and not written", () => {
  const { clock, written, writer } = stage(0);
  let acknowledged = 0;
  writer.write(bytes("old"), 1, 0, () => (acknowledged += 1));
  writer.reset();
  writer.write(bytes("new"), 1, 0, () => (acknowledged += 1));
  while (clock.slice());
  assert.deepEqual(written, ["new"]);
  assert.equal(acknowledged, 2);
});
