import assert from "node:assert/strict";
import { test } from "node:test";

import { Attachment, type AttachmentEvent, type OutputPiece } from "../../src/connection/attachment";
import type { Connection, ConnectionState, OutputArrival } from "../../src/connection/client";
import { Listeners } from "../../src/connection/listeners";
import { RequestError, type Gap, type Run } from "../../src/connection/protocol";

const RUN = { id: "r1", job: "count", params: {}, state: "running", output_bytes: 0 };

/** A connection whose server side the test plays. */
class Stage {
  state: ConnectionState = { kind: "connected" };
  readonly onState = new Listeners<ConnectionState>();
  readonly onOutput = new Listeners<OutputArrival>();
  readonly onGap = new Listeners<Gap>();
  readonly onRun = new Listeners<Run>();
  readonly requests: { event: string; payload: Record<string, unknown> }[] = [];
  /** Answers to attach, in order; the default is to begin where asked. */
  readonly answers: (() => unknown)[] = [];
  readonly taken: string[] = [];
  readonly events: AttachmentEvent[] = [];
  acknowledged = 0;

  async request(event: string, payload: Record<string, unknown>): Promise<unknown> {
    this.requests.push({ event, payload });
    if (event !== "attach") return {};
    const answer = this.answers.shift();
    return answer ? answer() : { run: RUN, offset: payload["offset"] ?? 0 };
  }

  attachment(tailBytes: number | null = null): Attachment {
    const sink = {
      write: ({ data, line }: OutputPiece, done: () => void) => {
        this.taken.push(`${line === null ? "" : `${line}:`}${new TextDecoder().decode(data)}`);
        done();
      },
      gap: (next: number, line: number | null) => this.taken.push(`<gone to ${next}, line ${line}>`),
      skipped: (next: number, line: number | null) => this.taken.push(`<skipped to ${next}, line ${line}>`),
      reset: () => this.taken.splice(0),
    };
    // Only what the stage has of a connection is used.
    const attachment = new Attachment(this as unknown as Connection, "r1", sink, tailBytes);
    attachment.onEvent.add((event) => this.events.push(event));
    return attachment;
  }

  send(offset: number, text: string, run = "r1", line: number | null = null): void {
    const data = new TextEncoder().encode(text);
    const done = () => {
      this.acknowledged += 1;
    };
    this.onOutput.emit({ output: { run, offset, data, time: 0, stream: 1, line }, done });
  }

  change(state: ConnectionState): void {
    this.state = state;
    this.onState.emit(state);
  }

  attachOffsets(): unknown[] {
    return this.requests.filter((r) => r.event === "attach").map((r) => r.payload["offset"]);
  }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test("output in order is written and acknowledged", async () => {
  const stage = new Stage();
  const attachment = stage.attachment();
  await settled();
  stage.send(0, "abc");
  stage.send(3, "def");
  assert.deepEqual(stage.taken, ["abc", "def"]);
  assert.equal(stage.acknowledged, 2);
  assert.equal(attachment.offset, 6);
});

test("output of other runs is left alone and not acknowledged here", async () => {
  const stage = new Stage();
  stage.attachment();
  await settled();
  stage.send(0, "abc", "other");
  assert.deepEqual(stage.taken, []);
  assert.equal(stage.acknowledged, 0);
});

test("after a lost connection it attaches at the byte reached and says so", async () => {
  const stage = new Stage();
  stage.attachment();
  await settled();
  stage.send(0, "abc");
  stage.change({ kind: "disconnected", reason: "gone" });
  stage.change({ kind: "connected" });
  await settled();
  assert.deepEqual(stage.attachOffsets(), [0, 3]);
  const attached = stage.events.filter((event) => event.kind === "attached");
  assert.deepEqual(attached.map((event) => event.resumed), [false, true]);
  stage.send(0, "abcd");
  assert.deepEqual(stage.taken, ["abc", "d"]);
});

test("a run that was taken for lost and goes on is attached to again", async () => {
  const stage = new Stage();
  stage.attachment();
  await settled();
  stage.send(0, "abc");
  const tell = (state: string, id = "r1") => stage.onRun.emit({ ...RUN, id, state } as unknown as Run);
  tell("running");
  tell("lost");
  tell("running", "other");
  await settled();
  assert.deepEqual(stage.attachOffsets(), [0]);
  tell("running");
  await settled();
  assert.deepEqual(stage.attachOffsets(), [0, 3]);
  tell("running");
  await settled();
  assert.deepEqual(stage.attachOffsets(), [0, 3]);
});

test("a jump without a gap attaches again where it is", async () => {
  const stage = new Stage();
  stage.attachment();
  await settled();
  stage.send(0, "abc");
  stage.send(5, "late");
  await settled();
  assert.deepEqual(stage.attachOffsets(), [0, 3]);
  assert.equal(stage.acknowledged, 2);
  assert.deepEqual(stage.taken, ["abc"]);
});

test("jumps that attaching does not cure end in an error, not in a loop", async () => {
  const stage = new Stage();
  stage.attachment();
  await settled();
  for (let round = 0; round < 20; round += 1) {
    stage.send(99, "x");
    await settled();
  }
  assert.ok(stage.attachOffsets().length < 8);
  assert.ok(stage.events.some((event) => event.kind === "failed"));
});

test("output of an older cursor while an attach is under way is no jump", async () => {
  const stage = new Stage();
  stage.attachment();
  stage.send(7, "old");
  await settled();
  assert.deepEqual(stage.attachOffsets(), [0]);
});

test("output that overtakes the acknowledgement of its attach is taken once that is here", async () => {
  const stage = new Stage();
  stage.answers.push(() => ({ run: RUN, offset: 100, line: 7 }));
  stage.attachment(50);
  stage.onGap.emit({ run: "r1", offset: 100, next: 110, line: 8 });
  stage.send(110, "early", "r1", 8);
  stage.send(40, "of a cursor before");
  assert.equal(stage.acknowledged, 0);
  await settled();
  assert.deepEqual(stage.taken, ["<skipped to 100, line 7>", "<gone to 110, line 8>", "8:early"]);
  assert.equal(stage.acknowledged, 2);
  assert.deepEqual(stage.requests.length, 1);
});

test("output that comes while an attach fails is acknowledged", async () => {
  const stage = new Stage();
  stage.answers.push(() => {
    throw new RequestError("unknown_run", "There is no run r1.");
  });
  stage.attachment();
  stage.send(40, "of a cursor before");
  await settled();
  assert.equal(stage.acknowledged, 1);
  assert.deepEqual(stage.taken, []);
});

test("a gap is shown once and the output goes on behind it", async () => {
  const stage = new Stage();
  stage.attachment();
  await settled();
  stage.send(0, "abc");
  stage.onGap.emit({ run: "r1", offset: 3, next: 10, line: 4 });
  stage.onGap.emit({ run: "r1", offset: 0, next: 10, line: 4 });
  stage.send(10, "def");
  assert.deepEqual(stage.taken, ["abc", "<gone to 10, line 4>", "def"]);
});

test("a server that has less than was shown makes it begin anew", async () => {
  const stage = new Stage();
  stage.attachment();
  await settled();
  stage.send(0, "abc");
  stage.answers.push(() => {
    throw new RequestError("bad_offset", "beyond the end");
  });
  stage.change({ kind: "disconnected", reason: "restart" });
  stage.change({ kind: "connected" });
  await settled();
  assert.deepEqual(stage.attachOffsets(), [0, 3, 0]);
  assert.ok(stage.events.some((event) => event.kind === "restarted"));
  stage.send(0, "ab");
  assert.deepEqual(stage.taken, ["ab"]);
  const last = stage.events.at(-1);
  assert.ok(last?.kind === "attached" && !last.resumed);
});

test("attached at the tail, what lies before it is said to be skipped", async () => {
  const stage = new Stage();
  stage.answers.push(() => ({ run: RUN, offset: 100 }));
  const attachment = stage.attachment(50);
  await settled();
  stage.send(100, "end");
  assert.deepEqual(stage.requests[0]?.payload, { run: "r1", tail: 50 });
  assert.deepEqual(stage.taken, ["<skipped to 100, line null>", "end"]);
  assert.equal(attachment.offset, 103);
});

test("a refused attach is reported with the server's words", async () => {
  const stage = new Stage();
  stage.answers.push(() => {
    throw new RequestError("unknown_run", "There is no run r1.");
  });
  stage.attachment();
  await settled();
  const event = stage.events[0];
  assert.ok(event?.kind === "failed");
  assert.equal(event.error.message, "There is no run r1.");
});

test("disposed, it detaches and takes nothing more", async () => {
  const stage = new Stage();
  const attachment = stage.attachment();
  await settled();
  attachment.dispose();
  stage.send(0, "abc");
  assert.deepEqual(stage.taken, []);
  assert.equal(stage.requests.at(-1)?.event, "detach");
});

test("lines' numbers go along with the bytes that they are of", async () => {
  const stage = new Stage();
  stage.answers.push(() => ({ run: RUN, offset: 100, line: 7 }));
  stage.attachment(50);
  await settled();
  stage.send(100, "a\nb", "r1", 7);
  stage.send(101, "\nbc", "r1", 7);
  assert.deepEqual(stage.taken, ["<skipped to 100, line 7>", "7:a\nb", "c"]);
});

test("a jump to the live end leaves out what has not come yet, and nothing else", async () => {
  const stage = new Stage();
  const attachment = stage.attachment();
  await settled();
  stage.send(0, "abc");
  stage.answers.push(() => ({ run: RUN, offset: 50, line: 9 }));
  attachment.jumpToLive(10);
  stage.send(3, "def");
  await settled();
  stage.send(50, "live", "r1", 9);
  assert.deepEqual(stage.requests.at(-1)?.payload, { run: "r1", tail: 10 });
  assert.deepEqual(stage.taken, ["abc", "def", "<skipped to 50, line 9>", "9:live"]);
  assert.equal(stage.acknowledged, 3);
});

test("a jump to where the page is already takes nothing twice", async () => {
  const stage = new Stage();
  const attachment = stage.attachment();
  await settled();
  stage.send(0, "abcdef");
  stage.answers.push(() => ({ run: RUN, offset: 2, line: 1 }));
  attachment.jumpToLive(10);
  await settled();
  stage.send(2, "cdefgh", "r1", 1);
  assert.deepEqual(stage.taken, ["abcdef", "gh"]);
});

test("a connection that is lost while it jumps jumps when it is back", async () => {
  const stage = new Stage();
  const attachment = stage.attachment();
  await settled();
  stage.send(0, "abc");
  stage.answers.push(() => {
    throw new RequestError("disconnected", "gone");
  });
  attachment.jumpToLive(10);
  stage.change({ kind: "disconnected", reason: "gone" });
  stage.answers.push(() => ({ run: RUN, offset: 90, line: 3 }));
  stage.change({ kind: "connected" });
  await settled();
  stage.send(90, "x");
  assert.deepEqual(stage.taken, ["abc", "<skipped to 90, line 3>", "x"]);
});

test("shown anew, a long output begins at its tail again", async () => {
  const stage = new Stage();
  stage.answers.push(() => ({ run: RUN, offset: 100, line: 3 }));
  const attachment = stage.attachment(50);
  await settled();
  stage.send(100, "end");
  attachment.restart();
  await settled();
  assert.deepEqual(stage.requests.at(-1)?.payload, { run: "r1", tail: 50 });
});
