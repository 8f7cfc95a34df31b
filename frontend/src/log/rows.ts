import type { LogText } from "../terminal/types";
import { ROW_PX } from "./geometry";
import { Palette } from "./palette";
import { Row } from "./row";
import { moved, type Splice } from "./splice";

/** A longer line is cut with an offer to show more: laying out megabytes in one row stalls. */
const FIRST_CHARS = 4_000;
const MORE_CHARS = 100_000;
/** Free rows kept for reuse. */
const POOL_ROWS = 200;

/** Lines of output by their numbers, both included. */
export interface LineRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The rows that are in the DOM: a run of neighbouring lines, and rows pinned outside of it because
 * a selection begins or ends there. All stand in the order of their lines.
 */
export class Rows {
  readonly element = document.createElement("div");
  readonly #palette: Palette;
  readonly #rows = new Map<number, Row>();
  readonly #heights = new Map<number, number>();
  readonly #limits = new Map<number, number>();
  readonly #pool: Row[] = [];
  /** Lines below this have been shown in their last form. */
  #settledLine = 0;
  #widest = 0;
  #marked: LineRange | null = null;

  constructor(private readonly model: LogText) {
    this.#palette = new Palette((id) => model.styleOf(id));
    this.element.className = "rows";
  }

  /** Number of characters of the widest line shown so far. */
  get widest(): number {
    return this.#widest;
  }

  get(line: number): Row | undefined {
    return this.#rows.get(line);
  }

  /** The mounted lines in order, pinned ones included. */
  lines(): number[] {
    return [...this.#rows.keys()].sort((a, b) => a - b);
  }

  /** Puts the lines [from, to) and the pinned ones into the DOM and nothing else. Gives the lines
   * whose text nodes were replaced. */
  mount(from: number, to: number, pinned: ReadonlySet<number>): Set<number> {
    const { firstLine, endLine, frozenLine } = this.model;
    const wanted = [...pinned].filter((line) => line >= firstLine && line < endLine);
    const before = wanted.filter((line) => line < from);
    const after = wanted.filter((line) => line >= to);
    for (const [line, row] of this.#rows) {
      if ((line >= from && line < to) || pinned.has(line)) continue;
      this.#rows.delete(line);
      this.#release(row);
    }
    const changed = new Set<number>();
    let next: Node | null = this.element.firstChild;
    const place = (line: number, isPinned: boolean) => {
      let row = this.#rows.get(line);
      const isNew = !row;
      if (!row) {
        row = this.#pool.pop() ?? new Row(this.#palette);
        this.#rows.set(line, row);
      }
      if (isNew || line >= this.#settledLine) {
        if (this.#show(row, line)) changed.add(line);
      }
      row.element.classList.toggle("is-pinned", isPinned);
      if (row.element === next) next = next.nextSibling;
      else this.element.insertBefore(row.element, next);
    };
    for (const line of before.sort((a, b) => a - b)) place(line, true);
    for (let line = from; line < to; line += 1) place(line, false);
    for (const line of after.sort((a, b) => a - b)) place(line, true);
    this.#settledLine = frozenLine;
    return changed;
  }

  /** Reads the heights of the mounted rows (forces layout): only needed when lines wrap. */
  measure(): void {
    this.#heights.clear();
    for (const [line, row] of this.#rows) this.#heights.set(line, row.element.offsetHeight);
  }

  /** Marks the lines with these numbers, and no others. */
  mark(marked: LineRange | null): void {
    this.#marked = marked;
    for (const row of this.#rows.values()) row.mark(this.#isMarked(row));
  }

  /** Rows look different that were settled. */
  unsettle(): void {
    this.#settledLine = Number.NEGATIVE_INFINITY;
  }

  /** Rows have other numbers now, and some are gone. */
  splice(splice: Splice): void {
    const rows = [...this.#rows];
    this.#rows.clear();
    for (const [line, row] of rows) {
      const to = moved(line, splice);
      if (to === null) this.#release(row);
      else this.#rows.set(to, row);
    }
    renumber(this.#heights, splice);
    renumber(this.#limits, splice);
    this.unsettle();
  }

  forgetHeights(): void {
    this.#heights.clear();
  }

  /** Height of a line in px: as measured, or as its length suggests for `columns` a row. */
  heightOf(line: number, columns: number): number {
    const measured = this.#heights.get(line);
    if (measured !== undefined && measured > 0) return measured;
    const length = Math.min(this.model.line(line).text.length, this.#limitOf(line));
    return Math.max(1, Math.ceil(length / columns)) * ROW_PX;
  }

  /** Shows more of a line that was cut; all of it up to `column` if given. */
  expand(line: number, column = 0): void {
    const limit = Math.max(this.#limitOf(line) + MORE_CHARS, column + FIRST_CHARS);
    this.#limits.set(line, limit);
    const row = this.#rows.get(line);
    if (row) this.#show(row, line);
  }

  isCutBefore(line: number, column: number): boolean {
    return column > this.#limitOf(line);
  }

  clear(): void {
    this.#rows.clear();
    this.#heights.clear();
    this.#limits.clear();
    this.element.replaceChildren();
    this.#settledLine = 0;
    this.#widest = 0;
  }

  #show(row: Row, line: number): boolean {
    const content = this.model.line(line);
    const limit = this.#limitOf(line);
    this.#widest = Math.max(this.#widest, Math.min(content.text.length, limit));
    const isChanged = row.show(line, content, limit);
    row.mark(this.#isMarked(row));
    return isChanged;
  }

  #isMarked({ number }: Row): boolean {
    return this.#marked !== null && number !== null && number >= this.#marked.first && number <= this.#marked.last;
  }

  #limitOf(line: number): number {
    return this.#limits.get(line) ?? FIRST_CHARS;
  }

  #release(row: Row): void {
    row.element.remove();
    if (this.#pool.length < POOL_ROWS) this.#pool.push(row);
  }
}

function renumber(values: Map<number, number>, splice: Splice): void {
  const before = [...values];
  values.clear();
  for (const [line, value] of before) {
    const to = moved(line, splice);
    if (to !== null) values.set(to, value);
  }
}
