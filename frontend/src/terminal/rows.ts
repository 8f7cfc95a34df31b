/** The rows of the screen, from its top down to the lowest one that was reached; those below are not made yet. */
import { Row } from "./row";
import { PLAIN } from "./style";
import type { StreamId } from "./types";

/** Rows taken until the list is shortened: doing it each time took a tenth of the time per line. */
const MAX_TAKEN = 256;

export class Rows {
  /** Given to new rows: of the chunk being written. */
  time = 0;
  stream: StreamId = 1;
  /** Of the line of output that is being written. */
  number = 1;
  /** Rows taken from the top so far. */
  taken = 0;
  /** Rows from #head on; those before it were taken. */
  readonly #rows: Row[] = [];
  #head = 0;
  /** The row taken last, to use again. */
  #spare: Row | null = null;

  constructor(private readonly onTake: (row: Row) => void) {}

  get length(): number {
    return this.#rows.length - this.#head;
  }

  /** Undefined when the row was not reached yet. */
  at(y: number): Row | undefined {
    return this.#rows[this.#head + y];
  }

  /** The row y, made with those above it when they do not exist yet. */
  reach(y: number): Row {
    while (this.length <= y) this.#rows.push(this.#blank(PLAIN));
    return this.#rows[this.#head + y] as Row;
  }

  /** Hands the top row on; it is used again, so nobody may keep it. */
  takeTop(): void {
    const row = this.#rows[this.#head++] as Row;
    this.taken++;
    if (this.#head === MAX_TAKEN) {
      this.#rows.splice(0, this.#head);
      this.#head = 0;
    }
    this.onTake(row);
    this.#spare = row;
  }

  /** Puts one empty row in. */
  put(at: number, fill: number): void {
    this.#rows.splice(this.#head + at, 0, this.#blank(fill));
  }

  /** Rows from `at` down to `bottom` move down; those beyond it are lost. */
  insert(at: number, count: number, bottom: number, fill: number): void {
    if (at > bottom || (at >= this.length && fill === PLAIN)) return;
    if (at > 0) this.reach(at - 1);
    for (let i = Math.min(count, bottom - at + 1); i > 0; i--) {
      this.put(at, fill);
      if (this.length > bottom + 1) this.#rows.splice(this.#head + bottom + 1, 1);
    }
  }

  /** Rows below `at` move up over it; empty ones come in at `bottom`. */
  remove(at: number, count: number, bottom: number, fill: number): void {
    if (at > bottom || (at >= this.length && fill === PLAIN)) return;
    if (fill !== PLAIN) this.reach(bottom);
    const lowest = Math.min(bottom, this.length - 1);
    for (let i = Math.min(count, bottom - at + 1); i > 0; i--) {
      this.#rows.splice(this.#head + at, 1);
      this.put(lowest, fill);
    }
  }

  /** Forgets all rows, as if they had been taken. */
  drop(): void {
    this.taken += this.length;
    this.#rows.length = this.#head = 0;
  }

  #blank(fill: number): Row {
    const row = this.#spare ?? new Row();
    this.#spare = null;
    return row.renew(this.time, this.stream, fill, this.number);
  }
}
