import assert from "node:assert/strict";
import { describe, it } from "node:test";

import type { Run, RunPage, RunState } from "../../src/connection/protocol";
import { readRun } from "../../src/connection/reading";
import type { RunQuery } from "../../src/page/api";
import { ANY_RUN, matches } from "../../src/page/place";
import { RunHistory } from "../../src/page/runhistory";
import { RunStore } from "../../src/page/runstore";

function run(number: number, state: RunState = "succeeded", job = "count"): Run {
  const id = String(number).padStart(5, "0");
  return readRun({ id, job, user: "local", state, output_bytes: number });
}

/** A server with runs, which answers when it is told to. */
class FakeServer {
  runs: Run[] = [];
  readonly asked: RunQuery[] = [];
  failure: string | null = null;
  #held: (() => void)[] | null = null;

  readonly fetch = async (query: RunQuery): Promise<RunPage> => {
    this.asked.push(query);
    const answer = this.#answer(query);
    const { failure } = this;
    if (this.#held) await new Promise<void>((resolve) => this.#held?.push(resolve));
    if (failure !== null) throw new Error(failure);
    return answer;
  };

  hold(): void {
    this.#held = [];
  }

  /** Lets the oldest request that waits have its answer, of when it was asked. */
  async release(): Promise<void> {
    this.#held?.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }

  #answer({ filter, before, limit }: RunQuery): RunPage {
    const all = this.runs
      .filter((each) => matches(filter, each) && (before === null || each.id < before))
      .sort((a, b) => (a.id < b.id ? 1 : -1));
    const runs = all.slice(0, limit);
    return { runs, next: all.length > limit ? (runs.at(-1)?.id ?? null) : null };
  }
}

function several(count: number, state: RunState = "succeeded"): Run[] {
  return Array.from({ length: count }, (_, index) => run(index + 1, state));
}

function opened(runs: Run[]) {
  const server = new FakeServer();
  server.runs = runs;
  const store = new RunStore();
  return { server, store, history: new RunHistory(store, server.fetch) };
}

const numbers = (history: RunHistory) => history.runs.map((each) => Number(each.id));

describe("the past runs", () => {
  it("come newest first, a page at a time, up to the first one that there was", async () => {
    const { history } = opened(several(120));
    await history.show(ANY_RUN);
    assert.deepEqual([numbers(history).length, numbers(history)[0], numbers(history).at(-1)], [50, 120, 71]);
    await history.loadMore();
    assert.equal(history.hasMore, true);
    await history.loadMore();
    assert.deepEqual(numbers(history), Array.from({ length: 120 }, (_, index) => 120 - index));
    assert.equal(history.hasMore, false);
  });

  it("are those of the filter, also those that the page knows of from elsewhere", async () => {
    const { history, store, server } = opened([run(1, "failed"), run(2), run(3, "failed", "other"), run(4, "failed")]);
    store.putAll(server.runs);
    await history.show({ ...ANY_RUN, job: "count", state: "failed" });
    assert.deepEqual(numbers(history), [4, 1]);
    await history.show(ANY_RUN);
    assert.deepEqual(numbers(history), [4, 3, 2, 1]);
  });

  it("have new runs at once, and lose those whose state fits no more", async () => {
    const { history, store } = opened([run(1, "running"), run(2)]);
    await history.show({ ...ANY_RUN, state: "running" });
    store.put(run(3, "running"));
    assert.deepEqual(numbers(history), [3, 1]);
    store.put(run(1, "failed"));
    assert.deepEqual(numbers(history), [3]);
  });

  it("have no hole: what is told of an older run waits until the list has come down to it", async () => {
    const { history, store } = opened(several(80));
    await history.show(ANY_RUN);
    store.put(run(5, "lost"));
    assert.equal(numbers(history).at(-1), 31);
    await history.loadMore();
    assert.equal(numbers(history).length, 80);
  });

  it("keep what is told while an older answer is on its way", async () => {
    const { history, store, server } = opened([run(1, "running")]);
    server.hold();
    const shown = history.show(ANY_RUN);
    store.put(run(2, "running"));
    store.put(run(1, "failed"));
    await server.release();
    await shown;
    assert.deepEqual(history.runs.map((each) => [Number(each.id), each.state]), [[2, "running"], [1, "failed"]]);
  });

  it("are not mixed up when another filter is chosen before the answer for the first has come", async () => {
    const { history, server } = opened([run(1, "failed"), run(2, "lost")]);
    server.hold();
    const first = history.show({ ...ANY_RUN, state: "failed" });
    const second = history.show({ ...ANY_RUN, state: "lost" });
    await server.release();
    assert.equal(history.loading, "all");
    await server.release();
    await Promise.all([first, second]);
    assert.deepEqual(numbers(history), [2]);
    assert.equal(history.loading, null);
  });

  it("asked for anew, as far as they were shown, lose what the server has removed", async () => {
    const { history, server } = opened(several(300));
    await history.show(ANY_RUN);
    for (let more = 0; more < 4; more += 1) await history.loadMore();
    assert.equal(numbers(history).at(-1), 51);
    server.runs = server.runs.filter((each) => Number(each.id) % 2 === 0).concat(run(301));
    await history.reload();
    assert.equal(numbers(history)[0], 301);
    assert.ok(numbers(history).slice(1).every((number) => number % 2 === 0));
    assert.equal(numbers(history).at(-1), 52);
    assert.equal(history.hasMore, true);
  });

  it("come when they are asked for in the midst of a reload, which waits for them the other way round", async () => {
    const { history } = opened(several(120));
    await history.show(ANY_RUN);
    await Promise.all([history.reload(), history.loadMore()]);
    assert.ok(numbers(history).length >= 100);
    const { history: other } = opened(several(120));
    await other.show(ANY_RUN);
    await Promise.all([other.loadMore(), other.reload()]);
    assert.ok(numbers(other).length >= 100);
  });

  it("say why they cannot be loaded, keep what is shown, and are asked for again", async () => {
    const { history, server } = opened(several(60));
    await history.show(ANY_RUN);
    server.failure = "Redis does not answer";
    await history.loadMore();
    assert.deepEqual([history.failure, numbers(history).length], ["Redis does not answer", 50]);
    server.failure = null;
    await history.loadMore();
    assert.deepEqual([history.failure, numbers(history).length], [null, 60]);
  });

  it("that could not be loaded at all are asked for from the beginning", async () => {
    const { history, server } = opened(several(3));
    server.failure = "away";
    await history.show(ANY_RUN);
    assert.deepEqual([history.failure, numbers(history)], ["away", []]);
    server.failure = null;
    await history.loadMore();
    assert.deepEqual(numbers(history), [3, 2, 1]);
  });

  it("have the output of running ones counted anew, and ask for nothing when none is", async () => {
    const { history, server } = opened([run(1), run(2, "running")]);
    await history.show(ANY_RUN);
    server.runs = [run(1), { ...run(2, "running"), outputBytes: 5000 }];
    await history.recount();
    assert.equal(history.runs[0]?.outputBytes, 5000);
    assert.equal(server.asked.at(-1)?.filter.state, "running");
    server.runs = [run(1), run(2)];
    await history.reload();
    const before = server.asked.length;
    await history.recount();
    assert.equal(server.asked.length, before);
  });
});
