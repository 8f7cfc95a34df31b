import { Hole } from "./hole";
import { isLost, type Mark, type OutputItem } from "./mark";
import type { Part } from "./parts";
import type { RunLog } from "./runlog";
import type { Splice } from "./splice";

/** Where to read from: a byte, or the beginning of a line. */
export type From = { readonly offset: number } | { readonly line: number };

/** A run's output by position. Rejects with an Error whose message is for people. */
export interface OutputSource {
  /** About `bytes` from a position on, beginning exactly there; nothing at the end of the output. */
  read(from: From, bytes: number): Promise<readonly OutputItem[]>;
}

/** What of a hole to load: what follows the text above it, what comes before the text below, or all of it. */
export type Way = "next" | "previous" | "all";

/** What one read asks for: the protocol's most. */
export const READ_BYTES = 262_144;
const LINE_FEED = 10;
/** What one click loads. */
export const LOAD_BYTES = 1_048_576;
/** A hole up to this size is loaded as a whole if the reader wants. */
export const LOAD_ALL_BYTES = 67_108_864;
/** Lines shown above the one that was asked for. */
const CONTEXT_LINES = 100;

/** Loads into a log what is not there: a piece of a hole, or the surroundings of a line far away. */
export class Loader {
  constructor(
    private readonly log: RunLog,
    private readonly source: OutputSource,
  ) {}

  /** Loads a piece of a hole; what fails is said in its row. */
  async load(hole: Hole, way: Way, bytes = LOAD_BYTES): Promise<void> {
    if (hole.isLoading || hole.isGone) return;
    hole.loading();
    this.log.touch(hole);
    let failure = "";
    try {
      if (way === "previous") await this.#previous(hole, bytes);
      else if (way === "next") await this.#next(hole, bytes);
      else await this.#next(hole, Number.POSITIVE_INFINITY, "below");
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    hole.loaded(failure);
    this.log.touch(hole);
  }

  /** Makes line `number` be there, with some before and after it. Rejects when it cannot be read. */
  async open(number: number): Promise<void> {
    const context = Math.max(1, number - CONTEXT_LINES);
    for (const line of context < number ? [context, number] : [number]) {
      const found = this.log.find(number);
      if (found.kind !== "hole") return;
      if (line < found.hole.start.line && !found.hole.isGone) {
        // it is near to the text above the hole, which goes on then
        await this.#next(found.hole, LOAD_BYTES);
        continue;
      }
      const items = await this.#tryRead({ line }, line === number);
      const start = items && markOf(items[0]);
      if (start) this.#put(start, wholeLines(items, found.hole.end.offset), "above");
    }
  }

  /** Rejects when there is no line `number`, or not any more; its message says why. */
  async check(number: number): Promise<void> {
    await this.source.read({ line: number }, 1);
  }

  /** The line in which a byte lies. Rejects when it cannot be read. */
  async lineOf(offset: number): Promise<number> {
    const [item] = await this.source.read({ offset }, 1);
    if (!item || item.line === null) throw new Error(`The output has no byte ${offset}.`);
    return item.line;
  }

  /** Asks how much of the beginning is no longer kept, so that its row says so. */
  async askBeginning(): Promise<void> {
    const hole = this.log.holeAtBeginning;
    if (!hole) return;
    const items = await this.source.read({ offset: hole.start.offset }, 1);
    if (this.log.has(hole)) this.#gone(hole, items);
  }

  async #next(hole: Hole, bytes: number, keep: Splice["keep"] = "above"): Promise<void> {
    // lines that a piece holds in part come with the next one
    for (let left = bytes; left > 0 && hole.bytes > 0 && this.log.has(hole); left -= READ_BYTES) {
      const { offset } = hole.start;
      const wanted = Math.min(READ_BYTES, bytes, hole.bytes);
      const items = await this.source.read({ offset }, wanted);
      if (!this.log.has(hole) || hole.start.offset !== offset) return;
      if (items.length === 0) throw new Error("The server has no more of this output.");
      this.log.fill(hole, wholeLines(items, hole.end.offset), keep);
    }
  }

  async #previous(hole: Hole, bytes: number): Promise<void> {
    if (!this.log.has(hole)) return;
    const { end } = hole;
    const from = Math.max(hole.start.offset, end.offset - bytes);
    const items: OutputItem[] = [];
    for (let offset = from; offset < end.offset; ) {
      const wanted = Math.min(READ_BYTES, end.offset - offset);
      const read = await this.source.read({ offset }, wanted);
      const last = read.at(-1);
      if (!last) throw new Error("The server has no more of this output.");
      items.push(...read);
      offset = isLost(last) ? last.next : last.offset + last.data.length;
    }
    const [first] = items;
    if (!first || !this.log.has(hole) || hole.end !== end) return;
    if (from === hole.start.offset) {
      // all of it: the text above goes on
      this.log.fill(hole, items, "below");
      return;
    }
    if (isLost(first)) {
      // what is gone began before: the whole of it is one row
      const earlier = await this.source.read({ offset: hole.start.offset }, 1);
      if (!this.log.has(hole) || hole.end !== end) return;
      if (this.#gone(hole, earlier)) return this.#previous(hole, bytes);
    }
    const line = isLost(first) ? null : first.line;
    this.#put({ offset: from, line: line ?? hole.start.line }, items, "below");
  }

  /** Marks the beginning of a hole as gone if the first of `items` says so; gives whether it did. */
  #gone(hole: Hole, items: readonly OutputItem[]): boolean {
    const [first] = items;
    if (!first || !isLost(first)) return false;
    this.log.fill(hole, [first]);
    return true;
  }

  #put(start: Mark, items: readonly OutputItem[], keep: Splice["keep"]): void {
    const hole = this.log.holeOf(start.offset);
    if (!hole) return;
    const seeks = keep === "below" && start.offset > hole.start.offset;
    const parts = this.log.assemble(this.log.section(start, seeks), items, hole.end);
    this.log.put(trimmed(parts), keep);
  }

  async #tryRead(from: From, isLast: boolean): Promise<readonly OutputItem[] | null> {
    try {
      return await this.source.read(from, READ_BYTES);
    } catch (error) {
      // the lines before it may be gone while it is still kept
      if (isLast) throw error;
      return null;
    }
  }
}

/** Items without the beginning of a line that they do not hold to its end; all of them if they reach `end`. */
export function wholeLines(items: readonly OutputItem[], end: number): readonly OutputItem[] {
  for (let n = items.length - 1; n >= 0; n -= 1) {
    const item = items[n] as OutputItem;
    if (isLost(item) || item.offset + item.data.length >= end) return items;
    const lineEnd = item.data.lastIndexOf(LINE_FEED);
    if (lineEnd >= 0) return [...items.slice(0, n), { ...item, data: item.data.subarray(0, lineEnd + 1) }];
  }
  return items;
}

function markOf(item: OutputItem | undefined): Mark | null {
  return item && item.line !== null && !isLost(item) ? { offset: item.offset, line: item.line } : null;
}

/** Without a first section of which nothing was taken, because it held no beginning of a line. */
function trimmed(parts: Part[]): Part[] {
  return parts.filter((part) => part instanceof Hole || !part.isEmpty);
}
