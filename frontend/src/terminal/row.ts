/**
 * One row of the tail. As long as a row only grows at its end, which nearly all rows do, it is a string; the first
 * change in its middle takes it apart into cells.
 */
import { Cells } from "./cells";
import { addSpan, spanObjects } from "./spans";
import type { Line, StreamId } from "./types";
import { charWidth, FIRST_UNUSUAL } from "./width";

/** Columns of a row up to which columns can be put in and taken out: each time all that follows moves. */
const EDITABLE = 65_536;

export class Row {
  /** Set when the row goes on from the one above it. */
  #wrapped = false;
  time = 0;
  stream: StreamId = 1;
  /** Of the line of output that the row began in. */
  number = 1;
  /** Style of everything beyond the end: a background when the row was erased in colour. */
  fill = 0;

  #text = "";
  /** Triples start, end, style in UTF-16 columns of #text. */
  #spans: number[] = [];
  /** Pairs start, end of #text that the cursor jumped over: spaces to see, but nothing was printed there. */
  #blanks: number[] = [];
  /** Columns taken. */
  #columns = 0;
  /** Each character is one UTF-16 unit and one column: columns index the text. */
  #plain = true;
  #cells: Cells | null = null;
  #line: Line | null = null;
  /** Some character is beyond Latin-1, so that its text takes two bytes a character. */
  wide = false;

  /** Makes the row anew; used rows are used again, which takes a third off the time per line. */
  renew(time: number, stream: StreamId, fill: number, number: number): this {
    this.#line = null;
    this.#empty();
    this.time = time;
    this.stream = stream;
    this.fill = fill;
    this.number = number;
    this.#wrapped = this.wide = false;
    return this;
  }

  get wrapped(): boolean {
    return this.#wrapped;
  }

  set wrapped(wrapped: boolean) {
    if (wrapped !== this.#wrapped) this.#line = null;
    this.#wrapped = wrapped;
  }

  /** Columns from the left edge to the end of what was printed. */
  get columns(): number {
    return this.#cells ? this.#cells.length : this.#columns;
  }

  /**
   * Prints a run without control characters at column x and answers the column after it.
   * @param bits all char codes of the run or-ed together
   */
  print(x: number, run: string, bits: number, style: number): number {
    this.#line = null;
    if (bits > 0xff) this.wide = true;
    if (x === 0 && run.length >= this.columns && covers(run, bits, this.columns)) {
      this.#empty();
      return this.#append(run, bits, style);
    }
    if (!this.#cells) {
      if (x === this.#columns) return this.#append(run, bits, style);
      if (x > this.#columns) {
        this.#pad(x);
        return this.#append(run, bits, style);
      }
    }
    const cells = this.#open();
    cells.pad(x, this.fill);
    return bits < FIRST_UNUSUAL ? cells.printNarrow(x, run, style) : cells.print(x, run, style);
  }

  /** Erases columns [from, to); to = Infinity erases to the right edge, however far that is. */
  erase(from: number, to: number, style: number): void {
    this.#line = null;
    if (to === Infinity) {
      this.#eraseRight(from, style);
      return;
    }
    const end = style === this.fill ? Math.min(to, this.columns) : to;
    if (from >= end) return;
    const cells = this.#open();
    cells.pad(end, this.fill);
    cells.erase(from, end, style);
    cells.trim(this.fill);
  }

  /**
   * Inserts empty columns; what moves past the right edge is lost.
   * @param edge the right edge's column, Infinity when there is none
   */
  insert(x: number, count: number, style: number, edge: number): void {
    if ((x >= this.columns && style === this.fill) || this.columns > EDITABLE) return;
    this.#line = null;
    const cells = this.#open();
    cells.pad(x, this.fill);
    cells.insert(x, Math.min(count, edge - x), style);
    if (cells.length > edge) cells.truncate(edge, style);
    cells.trim(this.fill);
  }

  /** Removes columns; empty ones come in at the right edge. */
  remove(x: number, count: number, style: number, edge: number): void {
    const inStyle = style !== this.fill && edge !== Infinity;
    if ((x >= this.columns && !inStyle) || this.columns > EDITABLE) return;
    this.#line = null;
    const cells = this.#open();
    if (inStyle) cells.pad(edge, this.fill);
    cells.remove(x, count, style);
    if (inStyle) cells.pad(edge, style);
    cells.trim(this.fill);
  }

  /** The row as the page sees it; the same object until the row changes. */
  line(): Line {
    return (this.#line ??= this.#describe());
  }

  /** Text and triples start, end, style. */
  content(): { text: string; spans: readonly number[] } {
    return this.#cells ? this.#cells.flatten() : { text: this.#text, spans: this.#spans };
  }

  #describe(): Line {
    const { text, spans } = this.content();
    const line: { -readonly [key in keyof Line]: Line[key] } = {
      text, spans: spanObjects(spans, 0, spans.length), time: this.time, stream: this.stream, number: this.number,
    };
    if (this.#wrapped) line.wrapped = true;
    if (this.fill !== 0) line.fill = this.fill;
    return line;
  }

  #empty(): void {
    this.#text = "";
    if (this.#spans.length) this.#spans = [];
    if (this.#blanks.length) this.#blanks = [];
    this.#columns = 0;
    this.#plain = true;
    this.#cells = null;
  }

  #append(run: string, bits: number, style: number): number {
    const start = this.#text.length;
    if (bits < FIRST_UNUSUAL) {
      this.#text = start === 0 ? run : this.#text + run;
      this.#columns += run.length;
      if (style !== 0) addSpan(this.#spans, start, start + run.length, style);
      return this.#columns;
    }
    return this.#appendUnusual(run, style);
  }

  #appendUnusual(run: string, style: number): number {
    this.#plain = false;
    let joinable = this.#columns > 0 && !this.#endsBlank();
    let marks = 0;
    let columns = 0;
    for (const char of run) {
      const width = charWidth(char.codePointAt(0) as number);
      if (width === 0 && joinable && columns === 0) marks += char.length;
      columns += width === 0 && !joinable ? 1 : width;
      joinable = true;
    }
    const start = this.#text.length;
    this.#text += run;
    this.#columns += columns;
    // marks that join the character before the run have its style
    const last = this.#spans.length - 3;
    if (marks > 0 && last >= 0 && this.#spans[last + 1] === start) this.#spans[last + 1] = start + marks;
    addSpan(this.#spans, start + marks, start + run.length, style);
    return this.#columns;
  }

  #endsBlank(): boolean {
    return this.#blanks.at(-1) === this.#text.length && this.#text.length > 0;
  }

  #pad(columns: number): void {
    const start = this.#text.length;
    this.#text += " ".repeat(columns - this.#columns);
    this.#blanks.push(start, this.#text.length);
    addSpan(this.#spans, start, this.#text.length, this.fill);
    this.#columns = columns;
  }

  #eraseRight(from: number, style: number): void {
    if (from === 0) {
      this.#empty();
    } else if (from < this.columns) {
      const cells = this.#open();
      cells.truncate(from, style);
      cells.trim(style);
    } else if (from > this.columns && style !== this.fill) {
      this.#open().pad(from, this.fill);
    }
    this.fill = style;
  }

  #open(): Cells {
    if (this.#cells) return this.#cells;
    const cells = new Cells();
    const columns = this.#plain ? null : cells.take(this.#text);
    if (this.#plain) cells.printNarrow(0, this.#text, 0);
    const column = (at: number): number => (columns ? (columns[at] as number) : at);
    const [spans, blanks] = [this.#spans, this.#blanks];
    for (let i = 0; i < spans.length; i += 3) {
      cells.styles.fill(spans[i + 2] as number, column(spans[i] as number), column(spans[i + 1] as number));
    }
    for (let i = 0; i < blanks.length; i += 2) {
      cells.glyphs.fill("", column(blanks[i] as number), column(blanks[i + 1] as number));
    }
    this.#empty();
    this.#cells = cells;
    return cells;
  }
}

/** Whether a run printed at the left edge takes at least so many columns: nothing of the row stays then. */
function covers(run: string, bits: number, columns: number): boolean {
  if (bits < FIRST_UNUSUAL || columns === 0) return true;
  let taken = 0;
  for (const char of run) taken += charWidth(char.codePointAt(0) as number);
  return taken >= columns;
}
