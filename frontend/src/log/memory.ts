import { Hole } from "./hole";
import type { Parts } from "./parts";
import { Section } from "./section";

export interface MemoryLimits {
  /** Rows of text kept at most. */
  readonly rows: number;
  /** Memory for them, about. */
  readonly bytes: number;
}

/** 1M lines of 80 characters take some 95 MB (docs/decisions/030); longer ones reach the second limit first. */
export const DEFAULT_LIMITS: MemoryLimits = { rows: 1_000_000, bytes: 268_435_456 };
/** When a limit is reached, so much of it is freed at once: each time the rows above get other numbers. */
const FREED_SHARE = 1 / 32;

/**
 * Keeps a log within its limits: what is farthest from the reader goes first, then the front of the live
 * section, which a flood fills, or of the reader's own. What goes becomes a hole, which can be loaded again.
 */
export class Memory {
  constructor(
    private readonly parts: Parts,
    private readonly limits: MemoryLimits,
  ) {}

  /** @param reader the row that the reader looks at */
  keepWithin(reader: number): void {
    if (!this.#isOver(1)) return;
    while (this.#isOver(1 - FREED_SHARE)) if (!this.#dropSome(this.parts.indexAt(reader))) return;
  }

  #isOver(share: number): boolean {
    return this.parts.textRows > this.limits.rows * share || this.parts.bytes > this.limits.bytes * share;
  }

  #dropSome(reader: number): boolean {
    const { list, live } = this.parts;
    const far = (index: number) => Math.abs(index - reader);
    let farthest = -1;
    list.forEach((part, index) => {
      if (part instanceof Hole || part === live || index === reader) return;
      if (farthest < 0 || far(index) > far(farthest)) farthest = index;
    });
    if (farthest >= 0) return this.#dropPart(farthest);
    const last = list.length - 1;
    const liveIsLarge = live.rows * 2 > this.limits.rows || live.model.bytes * 2 > this.limits.bytes;
    const [first, second] = liveIsLarge ? [last, reader] : [reader, last];
    return this.#dropFront(first) || this.#dropFront(second);
  }

  #dropPart(index: number): boolean {
    const part = this.parts.at(index);
    if (!part) return false;
    // a hole at either side becomes one with it
    let [from, to] = [index, index + 1];
    if (this.#canGrow(from - 1)) from -= 1;
    if (this.#canGrow(to)) to += 1;
    const kept = this.parts.at(from);
    const end = this.parts.at(to - 1)?.end ?? part.end;
    const hole = kept instanceof Hole ? kept : new Hole(part.start, end, false);
    const at = this.parts.base(from);
    const removed = this.parts.base(to) - at;
    hole.setEnd(end);
    this.parts.replace(from, to - from, [hole], { at, removed, keep: "below", isFresh: false });
    return true;
  }

  #dropFront(index: number): boolean {
    const section = this.parts.at(index);
    if (!(section instanceof Section)) return false;
    const start = section.start;
    const base = this.parts.base(index);
    const dropped = section.dropFront();
    if (dropped === 0) return false;
    const above = this.parts.at(index - 1);
    if (above instanceof Hole && this.#canGrow(index - 1)) {
      const change = { at: base - 1, removed: dropped + 1, keep: "below", isFresh: false } as const;
      this.parts.edit(change, () => above.setEnd(section.start));
    } else {
      const hole = new Hole(start, section.start, false);
      this.parts.replace(index, 0, [hole], { at: base, removed: dropped, keep: "below", isFresh: false });
    }
    return true;
  }

  #canGrow(index: number): boolean {
    const part = this.parts.at(index);
    return part instanceof Hole && !part.isGone;
  }
}
