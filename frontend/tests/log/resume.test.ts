/** A page from the network to its rows, while connections break, the reader jumps and memory is short. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Attachment } from "../../src/connection/attachment";
import type { Connection, ConnectionState, OutputArrival } from "../../src/connection/client";
import { Listeners } from "../../src/connection/listeners";
import { RequestError, type Gap, type Run } from "../../src/connection/protocol";
import { Loader } from "../../src/log/loader";
import { RunLog } from "../../src/log/runlog";
import { LogWriter } from "../../src/log/writer";
import { Random } from "../terminal/random";
import { FakeRun, randomText, rows } from "./run";

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A server and the network to it. What it sends arrives in order, but only when the test says so. */
class Network {
  state: ConnectionState = { kind: "connected" };
  readonly onState = new Listeners<ConnectionState>();
  readonly onOutput = new Listeners<OutputArrival>();
  readonly onGap = new Listeners<Gap>();
  readonly onRun = new Listeners<Run>();
  #onTheWay: (() => void)[] = [];
  #fails: ((error: Error) => void)[] = [];
  #cursor: number | null = null;

  constructor(
    private readonly run: FakeRun,
    private readonly random: Random,
    /** Bytes that the run has put out so far. */
    public end = 0,
  ) {}

  request(event: string, payload: Record<string, unknown>): Promise<unknown> {
    if (this.state.kind !== "connected") return Promise.reject(new RequestError("disconnected", "gone"));
    if (event !== "attach") return Promise.resolve({});
    const tail = payload["tail"];
    const offset = typeof tail === "number" ? Math.max(0, this.end - tail) : Number(payload["offset"]);
    const record = { id: "r", job: "j", state: "running", output_bytes: this.end };
    return new Promise((resolve, reject) => {
      this.#fails.push(reject);
      const answer = () => resolve({ run: record, offset, line: this.run.lineOf(offset) });
      // what is sent anew may overtake the acknowledgement
      this.#cursor = offset;
      if (this.random.below(4) === 0) this.send(1_000);
      this.#onTheWay.push(answer);
    });
  }

  send(bytes: number): void {
    if (this.#cursor === null || this.#cursor >= this.end) return;
    const offset = this.#cursor;
    if (offset < this.run.keptFrom) {
      const next = this.run.keptFrom;
      const gap = { run: "r", offset, next, line: this.run.lineOf(next) };
      this.#onTheWay.push(() => this.onGap.emit(gap));
      this.#cursor = next;
      return;
    }
    const data = this.run.data.subarray(offset, Math.min(this.end, offset + bytes));
    const output = { run: "r", offset, data, time: offset, stream: 1, line: this.run.lineOf(offset) } as const;
    this.#onTheWay.push(() => this.onOutput.emit({ output, done: () => undefined }));
    this.#cursor = offset + data.length;
  }

  async arrive(count: number): Promise<void> {
    for (const event of this.#onTheWay.splice(0, count)) {
      event();
      await settled();
    }
  }

  async cut(): Promise<void> {
    this.#onTheWay = [];
    this.#cursor = null;
    this.#change({ kind: "disconnected", reason: "cut" });
    for (const fail of this.#fails.splice(0)) fail(new RequestError("timeout", "cut"));
    await settled();
  }

  mend(): void {
    if (this.state.kind !== "connected") this.#change({ kind: "connected" });
  }

  #change(state: ConnectionState): void {
    this.state = state;
    this.onState.emit(state);
  }
}

async function torture(seed: number): Promise<void> {
  const random = new Random(seed);
  const run = new FakeRun(`${randomText(random, 4_000, false)}\n`, 1 + random.below(3_000));
  const network = new Network(run, random, random.below(run.data.length));
  const log = new RunLog({ rows: 600 + random.below(5_000), bytes: 1e9 });
  const loader = new Loader(log, run);
  const tasks: (() => void)[] = [];
  const writer = new LogWriter(log, () => undefined, { now: () => 0, soon: (task) => tasks.push(task) });
  const write = () => {
    for (let task = tasks.shift(); task; task = tasks.shift()) task();
  };
  const attachment = new Attachment(
    network as unknown as Connection,
    "r",
    {
      write: (piece, done) => writer.write(piece, done),
      gap: (next, line) => writer.gap(next, line),
      skipped: (next, line) => writer.skip(next, line),
      reset: () => assert.fail(`seed ${seed}: begins anew`),
    },
    random.pick([null, 1_000, 10_000]),
  );
  attachment.onEvent.add((event) => assert.notEqual(event.kind, "failed", `seed ${seed}`));
  const holes = () => rows(log).flatMap((row, n) => (row.missing && !row.missing.isGone ? [log.firstLine + n] : []));
  const actions = [
    () => {
      network.end = Math.min(run.data.length, network.end + random.below(8_000));
    },
    () => network.send(1 + random.below(3_000)),
    () => network.send(1 + random.below(3_000)),
    () => network.arrive(1 + random.below(4)),
    () => network.arrive(1 + random.below(4)),
    () => (random.below(6) === 0 ? network.cut() : network.mend()),
    () => (random.below(5) === 0 ? attachment.jumpToLive(1 + random.below(3_000)) : undefined),
    () => {
      if (random.below(10) === 0) run.keptFrom = Math.max(run.keptFrom, random.below(network.end + 1));
    },
    write,
    async () => {
      const hole = log.holeAt(random.pick([...holes(), log.endLine]));
      if (hole) await loader.load(hole, random.pick(["next", "previous", "all"]), 1 + random.below(9_000));
    },
  ];
  for (let n = 0; n < 150; n += 1) await actions[random.below(actions.length)]?.();

  // the network is well again, and all is sent and written
  network.mend();
  network.end = run.data.length;
  for (let n = 0; n < 400 && log.end.offset < run.data.length; n += 1) {
    network.send(2_000);
    await network.arrive(5);
    write();
  }
  const name = `seed ${seed}`;
  assert.equal(log.end.offset, run.data.length, name);
  let offset = 0;
  const all = rows(log);
  for (const [n, { text, missing, number }] of all.entries()) {
    if (missing) {
      offset += missing.bytes;
      continue;
    }
    assert.equal(number, run.lineOf(offset), name);
    const bytes = new TextEncoder().encode(text);
    assert.deepEqual(run.data.subarray(offset, offset + bytes.length), bytes, name);
    offset += bytes.length;
    // the line ends here, unless its end is missing
    const next = all[n + 1]?.missing;
    if (run.data[offset] === 10 && next?.firstNumber !== number) offset += 1;
  }
  assert.equal(offset, run.data.length, name);
}

test("every byte is in the page once and in its place, or said to be missing, whatever happens", async () => {
  for (let seed = 1; seed <= 150; seed += 1) await torture(seed);
});
