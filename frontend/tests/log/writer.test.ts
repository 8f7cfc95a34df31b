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
    gap(next: number) {
      written.push(`<gone to ${next}>`);
    },
    skip(next: number) {
      written.push(`<on at ${next}>`);
    },
  };
  const writer = new LogWriter(model, () => (notified += 1), clock);
  return { clock, written, writer, notified: () => notified };
}

const bytes = (text: string) => new TextEncoder().encode(text);
const piece = (data: Uint8Array, stream: 1 | 2) => ({ data, stream, time: 0, line: null });

test("output is acknowledged only after it has been written", () => {
  const { clock, written, writer } = stage(0.1);
  let done = false;
  writer.write(piece(bytes("abc"), 1), () => {
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
  writer.write(piece(bytes(flood), 1), () => undefined);
  writer.gap(200_005, 7);
  writer.skip(300_000, 9);
  writer.write(piece(bytes("end"), 2), () => undefined);
  let before = clock.time;
  while (clock.slice()) {
    assert.ok(clock.time - before <= 12, `one slice took ${clock.time - before} ms`);
    before = clock.time;
  }
  assert.equal(written.join(""), `${flood}<gone to 200005><on at 300000>end`);
});

test("the page is told once for each slice", () => {
  const { clock, writer, notified } = stage(0);
  for (let n = 0; n < 50; n += 1) writer.write(piece(bytes("a"), 1), () => undefined);
  clock.slice();
  assert.equal(notified(), 1);
});

test("what is queued when the log is reset is acknowledged and not written", () => {
  const { clock, written, writer } = stage(0);
  let acknowledged = 0;
  writer.write(piece(bytes("old"), 1), () => (acknowledged += 1));
  writer.reset();
  writer.write(piece(bytes("new"), 1), () => (acknowledged += 1));
  while (clock.slice());
  assert.deepEqual(written, ["new"]);
  assert.equal(acknowledged, 2);
});
