import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { RequestError } from "../../src/connection/protocol";
import { readRun } from "../../src/connection/reading";
import { Answering } from "../../src/page/answering";

const run = (state: string, waiting: object | null = null, isolation = "process") =>
  readRun({ id: "1", job: "greet", state, isolation, output_bytes: 0, waiting });

const NAME = { since: null, hidden: false, prompt: "Your name: " };
const PASSWORD = { since: null, hidden: true, prompt: "Password: " };

/** A server that takes answers until it is told to refuse them. */
function opened() {
  const sent: [string, boolean][] = [];
  const server = { failure: null as Error | null };
  const answering = new Answering(async (data, eof) => {
    await Promise.resolve();
    if (server.failure) throw server.failure;
    sent.push([data, eof]);
  });
  return { answering, sent, server };
}

describe("the line for an answer", () => {
  it("comes with a question, and stays until the run ends", () => {
    const { answering } = opened();
    answering.update(run("running"));
    assert.equal(answering.isShown, false);
    answering.update(run("running", NAME));
    assert.deepEqual([answering.isShown, answering.isAsking, answering.prompt], [true, true, "Your name:"]);
    answering.update(run("running"));
    assert.deepEqual([answering.isShown, answering.isAsking, answering.prompt], [true, false, ""]);
    answering.update(run("succeeded"));
    assert.equal(answering.isShown, false);
  });

  it("is there on request for a run in a process of its own, which may read without being known to", () => {
    const { answering } = opened();
    answering.update(run("queued"));
    assert.equal(answering.isOffered, false);
    answering.update(run("running", null, "thread"));
    assert.equal(answering.isOffered, false);
    answering.update(run("running"));
    assert.deepEqual([answering.isOffered, answering.isShown], [true, false]);
    answering.toggle();
    assert.deepEqual([answering.isOffered, answering.isShown], [true, true]);
    answering.update(run("running", NAME));
    assert.equal(answering.isOffered, false);
  });

  it("sends a line with its end, more than one line whole, and the end of input after what was typed", async () => {
    const { answering, sent } = opened();
    answering.update(run("running", NAME));
    assert.equal(await answering.answer("Ann"), true);
    await answering.answer("");
    await answering.answer("one\ntwo");
    await answering.end("last");
    assert.deepEqual(sent, [["Ann\n", false], ["\n", false], ["one\ntwo\n", false], ["last\n", true]]);
  });

  it("goes when the input was ended: nothing is read any more", async () => {
    const { answering, sent } = opened();
    answering.update(run("running", NAME));
    await answering.end("");
    answering.update(run("running"));
    assert.deepEqual([answering.isShown, answering.isOffered, sent], [false, false, [["", true]]]);
  });

  it("sends one answer at a time", async () => {
    const { answering, sent } = opened();
    answering.update(run("running", NAME));
    const first = answering.answer("Ann");
    assert.equal(answering.isSending, true);
    assert.equal(await answering.answer("Ann"), false);
    await first;
    assert.deepEqual([answering.isSending, sent.length], [false, 1]);
  });

  it("says why an answer did not get there, and stays for it when the run has ended", async () => {
    const { answering, server } = opened();
    answering.update(run("running", NAME));
    answering.typed("line", true);
    server.failure = new RequestError("not_running", "run 1 is over");
    assert.equal(await answering.answer("Ann"), false);
    answering.update(run("succeeded"));
    assert.equal(answering.failure, "Not sent: run 1 is over");
    assert.equal(answering.isShown, true);
    answering.dismiss();
    assert.equal(answering.isShown, false);
  });

  it("forgets the failure with the next answer that gets there", async () => {
    const { answering, server } = opened();
    answering.update(run("running", NAME));
    server.failure = new RequestError("input_full", "4 KiB were not read");
    await answering.answer("Ann");
    assert.match(answering.failure, /has not read/);
    server.failure = null;
    await answering.answer("Ann");
    assert.equal(answering.failure, "");
  });

  it("says so when the run ends while something is being typed", () => {
    const { answering } = opened();
    answering.update(run("running", NAME));
    answering.typed("line", true);
    answering.update(run("stopped"));
    assert.equal(answering.isShown, true);
    assert.match(answering.failure, /was not sent/);
  });

  it("is as the last question wanted it until the next one comes", () => {
    const { answering } = opened();
    answering.update(run("running", PASSWORD));
    answering.update(run("running"));
    assert.equal(answering.field, "password");
    answering.update(run("running", NAME));
    assert.equal(answering.field, "line");
  });

  it("is hidden for a password, and does not turn into an open one before that has been taken away", () => {
    const { answering } = opened();
    answering.update(run("running", PASSWORD));
    assert.equal(answering.field, "password");
    answering.typed("password", true);
    answering.update(run("running"));
    assert.equal(answering.field, "password");
    answering.update(run("running", NAME));
    assert.equal(answering.field, "password");
    answering.typed("password", false);
    assert.equal(answering.field, "line");
  });
});
