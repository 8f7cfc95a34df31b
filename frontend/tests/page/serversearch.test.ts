import assert from "node:assert/strict";
import { describe, it } from "node:test";

import type { SearchAnswer } from "../../src/connection/protocol";
import type { Query } from "../../src/log/finder";
import { ApiError, type SearchQuery } from "../../src/page/api";
import { ROUND_LINES, ServerSearch } from "../../src/page/serversearch";

const TICK: Query = { text: "tick", regex: false, matchCase: true };
/** Bytes that a fake server looks at in one request; a line has ten. */
const AT_ONCE = 1000;

/** A server whose output has ten bytes a line, and a match in the lines that are given. */
class FakeServer {
  readonly asked: { query: SearchQuery; signal: AbortSignal }[] = [];
  failure: Error | null = null;
  held: (() => void)[] | null = null;

  constructor(
    public lines: number,
    public found: (line: number) => boolean,
  ) {}

  readonly ask = async (query: SearchQuery, signal: AbortSignal): Promise<SearchAnswer> => {
    this.asked.push({ query, signal });
    if (this.held) await new Promise<void>((resolve) => this.held?.push(resolve));
    if (this.failure !== null) throw this.failure;
    const end = this.lines * 10;
    const stop = Math.min(end, query.after + AT_ONCE);
    const matches = [];
    let next = stop;
    for (let offset = query.after; offset < stop; offset += 10) {
      const line = offset / 10 + 1;
      if (!this.found(line)) continue;
      matches.push({ line, text: `tick ${line}`, start: 0, end: 4 });
      if (matches.length < query.limit) continue;
      next = offset + 10;
      break;
    }
    return { matches, next: next < end ? next : null, searched: next - query.after, end };
  };
}

const numbers = (search: ServerSearch) => search.lines.map((each) => each.line);

describe("the search on the server", () => {
  it("goes on by itself through pieces without a match, and tells how far it is", async () => {
    const server = new FakeServer(1000, (line) => line === 950);
    const search = new ServerSearch(server.ask);
    const told: number[] = [];
    search.onChange.add(() => told.push(search.reached));
    await search.start(TICK);
    assert.deepEqual(numbers(search), [950]);
    assert.deepEqual(told.slice(1, 4), [1000, 2000, 3000]);
    assert.deepEqual([search.reached, search.end, search.isBusy], [10_000, 10_000, false]);
  });

  it("stops when enough lines are found, and finds the next ones on request", async () => {
    const search = new ServerSearch(new FakeServer(250, () => true).ask);
    await search.start(TICK);
    assert.equal(search.lines.length, ROUND_LINES);
    assert.equal(search.reached, 1000);
    await search.goOn();
    await search.goOn();
    assert.deepEqual(numbers(search), Array.from({ length: 250 }, (_, index) => index + 1));
  });

  it("finds in what was printed since, and has a line that has grown once", async () => {
    const server = new FakeServer(3, (line) => line === 3);
    const search = new ServerSearch(server.ask);
    await search.start(TICK);
    server.lines = 4;
    server.found = () => false;
    const { ask } = server;
    const grown = { line: 3, text: "tick tock", start: 0, end: 4 };
    const again = new ServerSearch(async (query, signal) =>
      query.after === 0
        ? { matches: [{ line: 3, text: "tick", start: 0, end: 4 }], next: null, searched: 30, end: 30 }
        : { ...(await ask(query, signal)), matches: [grown] },
    );
    await again.start(TICK);
    await again.goOn();
    assert.deepEqual(again.lines, [grown]);
    await search.goOn();
    assert.equal(server.asked.at(-1)?.query.after, 30);
    assert.equal(search.end, 40);
  });

  it("says why the server does not answer, and can be asked again", async () => {
    const server = new FakeServer(5, () => true);
    server.failure = new ApiError("too_many_searches", "too many searches");
    const search = new ServerSearch(server.ask);
    await search.start(TICK);
    assert.deepEqual([search.failure, search.isBusy, search.canGoOn(0)], ["too many searches", false, true]);
    server.failure = null;
    await search.goOn();
    assert.deepEqual([search.failure, search.lines.length, search.canGoOn(50)], [null, 5, false]);
    assert.equal(search.canGoOn(51), true);
  });

  it("gives the server's words on a bad pattern, which no second try makes better", async () => {
    const server = new FakeServer(5, () => true);
    server.failure = new ApiError("bad_pattern", "missing ): a(b");
    const search = new ServerSearch(server.ask);
    await search.start({ ...TICK, regex: true, text: "a(b" });
    assert.deepEqual([search.failure, search.canGoOn(50)], ["missing ): a(b", false]);
  });

  it("gives up what it was asked for before", async () => {
    const server = new FakeServer(5, () => true);
    server.held = [];
    const search = new ServerSearch(server.ask);
    const first = search.start({ ...TICK, text: "other" });
    const second = search.start(TICK);
    assert.deepEqual(server.asked.map((each) => each.signal.aborted), [true, false]);
    for (const release of server.held) release();
    await Promise.all([first, second]);
    assert.equal(search.lines.length, 5);
    assert.equal(search.isBusy, false);
  });

  it("is stopped with what it has found, and goes on from there", async () => {
    const server = new FakeServer(250, (line) => line % 50 === 0);
    const search = new ServerSearch(server.ask);
    const dispose = search.onChange.add(() => {
      if (search.reached === 1000 && search.isBusy) search.stop();
    });
    await search.start(TICK);
    assert.deepEqual([numbers(search), search.isBusy, search.failure], [[50, 100], false, null]);
    assert.equal(search.canGoOn(0), true);
    dispose();
    await search.goOn();
    assert.deepEqual(numbers(search), [50, 100, 150, 200, 250]);
  });

  it("has nothing any more when it is closed in the midst of a search", async () => {
    const server = new FakeServer(5, () => true);
    server.held = [];
    const search = new ServerSearch(server.ask);
    const asking = search.start(TICK);
    await search.start(null);
    for (const release of server.held) release();
    await asking;
    assert.deepEqual([search.lines, search.query, search.isBusy], [[], null, false]);
  });

  it("asks for nothing when nothing is sought", async () => {
    const server = new FakeServer(5, () => true);
    const search = new ServerSearch(server.ask);
    await search.start({ ...TICK, text: "" });
    await search.goOn();
    assert.equal(server.asked.length, 0);
  });
});
