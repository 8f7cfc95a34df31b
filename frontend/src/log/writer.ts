/** What the writer needs of a log; `line` is the number of the line at a place, null where it is not known. */
export interface WritableLog {
  write(data: Uint8Array, stream: 1 | 2, time: number, line: number | null): void;
  gap(next: number, line: number | null): void;
  skip(next: number, line: number | null): void;
}

export interface WrittenPiece {
  readonly data: Uint8Array;
  readonly stream: 1 | 2;
  readonly time: number;
  readonly line: number | null;
}

interface Queued extends WrittenPiece {
  readonly kind: "data";
  readonly done: () => void;
  taken: number;
}
type Entry = Queued | { readonly kind: "gap" | "skip"; readonly next: number; readonly line: number | null };

/** How a writer is driven; tests drive it by hand. */
export interface WriterClock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Runs `task` soon, after input and painting had their chance; also in a hidden tab. */
  soon(task: () => void): void;
}

/** How long one slice may write before the page gets its turn. */
const SLICE_MS = 8;
/** What is written between two looks at the clock: well under 1 ms of work. */
const STEP_BYTES = 16 * 1024;

/**
 * Feeds output to the model in slices of time, so that a flood never freezes the page. The queue is
 * bounded by the server's window: a piece is acknowledged (`done`) only when it has been written.
 */
export class LogWriter {
  #queue: Entry[] = [];
  #scheduled = false;
  #generation = 0;

  constructor(
    private readonly log: WritableLog,
    private readonly written: () => void,
    private readonly clock: WriterClock = browserClock(),
  ) {}

  write(piece: WrittenPiece, done: () => void): void {
    this.#queue.push({ ...piece, kind: "data", done, taken: 0 });
    this.#schedule();
  }

  gap(next: number, line: number | null): void {
    this.#queue.push({ kind: "gap", next, line });
    this.#schedule();
  }

  skip(next: number, line: number | null): void {
    this.#queue.push({ kind: "skip", next, line });
    this.#schedule();
  }

  /** Drops what is queued; it counts as dealt with, so it is acknowledged. */
  reset(): void {
    const dropped = this.#queue;
    this.#queue = [];
    this.#generation += 1;
    for (const entry of dropped) if (entry.kind === "data") entry.done();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const generation = this.#generation;
    this.clock.soon(() => {
      this.#scheduled = false;
      if (generation === this.#generation) this.#slice();
      else if (this.#queue.length > 0) this.#schedule();
    });
  }

  #slice(): void {
    const until = this.clock.now() + SLICE_MS;
    const finished: (() => void)[] = [];
    let index = 0;
    for (let entry = this.#queue[0]; entry; entry = this.#queue[index]) {
      if (entry.kind !== "data") {
        if (entry.kind === "gap") this.log.gap(entry.next, entry.line);
        else this.log.skip(entry.next, entry.line);
        index += 1;
      } else {
        const next = Math.min(entry.data.length, entry.taken + STEP_BYTES);
        const line = entry.taken === 0 ? entry.line : null;
        this.log.write(entry.data.subarray(entry.taken, next), entry.stream, entry.time, line);
        entry.taken = next;
        if (next === entry.data.length) {
          finished.push(entry.done);
          index += 1;
        }
      }
      if (this.clock.now() >= until) break;
    }
    this.#queue.splice(0, index);
    if (this.#queue.length > 0) this.#schedule();
    this.written();
    for (const done of finished) done();
  }
}

/** Yields by a message to itself: setTimeout is clamped to 4 ms, and to 1 s in a hidden tab. */
function browserClock(): WriterClock {
  const channel = new MessageChannel();
  let next: (() => void) | null = null;
  channel.port1.onmessage = () => {
    const task = next;
    next = null;
    task?.();
  };
  return {
    now: () => performance.now(),
    soon(task) {
      next = task;
      channel.port2.postMessage(null);
    },
  };
}
