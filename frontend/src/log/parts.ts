import { Listeners } from "../connection/listeners";
import { lastUpTo } from "../terminal/numbering";
import { Hole } from "./hole";
import { Section } from "./section";
import type { Splice } from "./splice";

export type Part = Section | Hole;

/**
 * The parts that a log consists of, in order and without space between: what one ends at the next one begins at.
 * The last is the live section, whose rows keep their numbers whatever happens above it.
 */
export class Parts {
  readonly onSplice = new Listeners<Splice>();
  #list: Part[];
  #live: Section;
  /** Number of the live model's row 0. */
  #liveZero = 0;
  /** Number of each part's first row. */
  #bases: number[] = [0];
  /** Rows and memory of all sections but the live one. */
  #heldRows = 0;
  #heldBytes = 0;

  constructor(live: Section) {
    this.#live = live;
    this.#list = [live];
  }

  get list(): readonly Part[] {
    return this.#list;
  }

  get live(): Section {
    return this.#live;
  }

  get firstRow(): number {
    return this.#bases[0] as number;
  }

  get endRow(): number {
    return this.#live.model.endLine + this.#liveZero;
  }

  /** Rows from here on are those of the live tail, which programs can rewrite. */
  get frozenRow(): number {
    return this.#live.model.frozenLine + this.#liveZero;
  }

  /** Rows of text. */
  get textRows(): number {
    return this.#heldRows + this.#live.rows;
  }

  /** Memory, about. */
  get bytes(): number {
    return this.#heldBytes + this.#live.model.bytes;
  }

  /** Number of the first row of a part. */
  base(index: number): number {
    return this.#bases[index] as number;
  }

  /** Index of the part that holds a row. */
  indexAt(row: number): number {
    return Math.max(0, lastUpTo(this.#bases, row));
  }

  at(index: number): Part | undefined {
    return this.#list[index];
  }

  indexOf(part: Part): number {
    return this.#list.indexOf(part);
  }

  /** The hole that has all bytes from `start` to `end` and can be loaded. */
  holeAround(start: number, end: number): Hole | null {
    for (const part of this.#list) {
      if (part instanceof Hole && !part.isGone && part.start.offset <= start && end <= part.end.offset) return part;
    }
    return null;
  }

  /**
   * Puts `parts` in the place of `count` others above the live section.
   * @param at the first row that changes, `removed` how many do; all others stay as they are
   */
  replace(index: number, count: number, parts: readonly Part[], change: Omit<Splice, "added">): void {
    this.edit(change, () => {
      this.#list.splice(index, count, ...parts);
      this.#joinHoles(index, index + parts.length);
    });
  }

  /** Tells of a change of the rows between `at` and `at + removed`, which `act` does or completes. */
  edit(change: Omit<Splice, "added">, act: () => void): void {
    // as they were last laid out, whatever has been dropped since
    const before = this.endRow - this.firstRow;
    act();
    this.#lay();
    const added = change.removed + this.endRow - this.firstRow - before;
    this.onSplice.emit({ ...change, added });
  }

  /** Goes on with a new live section below the old one, behind a hole; rows that there are keep their numbers. */
  leap(hole: Hole, next: Section): void {
    const zero = this.endRow;
    if (this.#live.isEmpty) this.#list.pop();
    const above = this.#list.at(-1);
    const extends_ = above instanceof Hole && above.isGone === hole.isGone;
    if (extends_) above.setEnd(hole.end);
    else this.#list.push(hole);
    this.#list.push(next);
    this.#live = next;
    this.#liveZero = extends_ ? zero : zero + 1;
    this.#lay();
  }

  /** Neighbouring holes of one kind become one. */
  #joinHoles(from: number, to: number): void {
    for (let i = Math.min(to, this.#list.length - 1); i >= Math.max(1, from); i -= 1) {
      const [above, below] = [this.#list[i - 1], this.#list[i]];
      if (!(above instanceof Hole) || !(below instanceof Hole) || above.isGone !== below.isGone) continue;
      above.setEnd(below.end);
      this.#list.splice(i, 1);
    }
  }

  #lay(): void {
    let base = this.#live.model.firstLine + this.#liveZero;
    const bases = new Array<number>(this.#list.length);
    this.#heldRows = this.#heldBytes = 0;
    for (let i = this.#list.length - 1; i >= 0; i -= 1) {
      const part = this.#list[i] as Part;
      if (part !== this.#live) base -= part.rows;
      bases[i] = base;
      if (part === this.#live || part instanceof Hole) continue;
      this.#heldRows += part.rows;
      this.#heldBytes += part.model.bytes;
    }
    this.#bases = bases;
  }
}
