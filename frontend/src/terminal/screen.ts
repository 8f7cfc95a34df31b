/**
 * The screen: the cursor and the rows that it can still reach. Rows that scroll out at its top go to `onFreeze`.
 *
 * Without columns it serves a log: rows do not wrap, and what is addressed from the screen's top left corner
 * (`CSI H`, `CSI 2 J`, the alternate screen) begins on a fresh page below what was printed before, so that
 * nothing that somebody may want to read is painted over. With columns it is a terminal of columns × rows.
 */
import type { Row } from "./row";
import { Rows } from "./rows";
import { Pen, PLAIN } from "./style";
import type { PenState } from "./style";
import type { StyleNames } from "./types";
import { charWidth } from "./width";

/** Columns of a row without a set width, after which it wraps all the same: a string must end somewhere. */
export const MAX_COLUMNS = 4_194_304;
/** Columns that cursor movement reaches on an empty row without a set width; more than any real terminal has. */
export const REACH = 1_024;
/** A finished row longer than this leaves the tail at once: no program moves up into it, and it takes memory. */
const LONG_ROW = 65_536;
/** U+FEFF in the middle of text is what `cat` left of a file's beginning: terminals drop it. */
const BYTE_ORDER_MARK = 0xfeff;
/** Tab stops are where every terminal has them. */
const TAB = 8;

interface SavedCursor {
  readonly x: number;
  /** Counted from the first row ever, since the screen may scroll in between. */
  readonly row: number;
  readonly pen: PenState;
}

export class Screen {
  readonly pen: Pen;
  x = 0;
  y = 0;
  readonly rows: Rows;
  /** Scroll region, both rows included. */
  top = 0;
  bottom: number;
  /** The last run printed, for REP; "" after any control function. */
  lastRun = "";
  readonly isLog: boolean;
  readonly columns: number;
  /** Something beyond Latin-1 was printed; whoever asks resets it. */
  sawWide = false;
  #saved: SavedCursor | null = null;
  /** The cursor addresses a fresh page, of which no row has scrolled out yet. */
  #onPage = false;

  constructor(
    readonly height: number,
    columns: number | undefined,
    styles: StyleNames,
    onFreeze: (row: Row) => void,
  ) {
    this.isLog = columns === undefined;
    this.columns = columns ?? MAX_COLUMNS;
    this.bottom = height - 1;
    this.rows = new Rows(onFreeze);
    this.pen = new Pen(styles);
  }

  /** The cursor's row, made when it does not exist yet. */
  get row(): Row {
    return this.rows.at(this.y) ?? this.rows.reach(this.y);
  }

  /** Prints a run without control characters; `bits`: all its char codes or-ed together. */
  print(run: string, bits: number): void {
    if ((bits & BYTE_ORDER_MARK) === BYTE_ORDER_MARK) run = run.replaceAll("\ufeff", "");
    if (run === "") return;
    this.lastRun = run;
    if (bits > 0xff) this.sawWide = true;
    // a character takes at most two columns
    if (this.x + 2 * run.length > this.columns) this.#printWrapping(run, bits);
    else this.#printOn(run, bits);
  }

  #printOn(run: string, bits: number): void {
    const row = this.row;
    if (this.x === 0) {
      row.time = this.rows.time;
      row.stream = this.rows.stream;
    }
    this.x = row.print(this.x, run, bits, this.pen.style);
  }

  #printWrapping(run: string, bits: number): void {
    let start = 0;
    let end = 0;
    let x = this.x;
    for (const char of run) {
      const width = charWidth(char.codePointAt(0) as number) || (x === 0 ? 1 : 0);
      if (x + width > this.columns) {
        if (end > start) this.#printOn(run.slice(start, end), bits);
        start = end;
        this.#wrap();
        x = 0;
      }
      x += width;
      end += char.length;
    }
    if (end > start) this.#printOn(run.slice(start, end), bits);
  }

  #wrap(): void {
    // a wide character that does not fit leaves a column empty
    if (this.x < this.columns) this.row.erase(this.x, this.columns, this.pen.style);
    this.x = 0;
    // a log's row wraps at MAX_COLUMNS only: nothing rewrites so long a one, and a hundred of them fill the memory
    if (this.isLog && this.y === this.rows.length - 1) this.freezeAll();
    else this.#down();
    this.row.wrapped = true;
    this.row.time = this.rows.time;
    this.row.stream = this.rows.stream;
  }

  /** "\n": what follows is in the next line of output, whatever row it is printed on. */
  nextLine(): void {
    this.rows.reach(this.y);
    this.rows.number++;
    this.lineFeed();
  }

  /** LF, VT, FF: the pipes of jobs carry no CR before it. */
  lineFeed(): void {
    const row = this.row;
    this.x = 0;
    if (this.isLog && row.columns > LONG_ROW && this.y === this.rows.length - 1) {
      this.freezeAll();
      return;
    }
    const { y } = this;
    this.#down();
    const next = this.rows.at(this.y);
    if (next && this.y > y) next.wrapped = false;
  }

  /** IND: down in the same column. */
  index(): void {
    this.#restrict();
    this.#down();
  }

  #down(): void {
    if (this.y === this.bottom) this.#scroll();
    else if (this.y < this.height - 1) {
      this.rows.reach(this.y);
      this.y++;
    }
  }

  #scroll(): void {
    if (this.top > 0) {
      this.rows.remove(this.top, 1, this.bottom, this.blankFill());
      return;
    }
    this.rows.reach(this.y);
    this.rows.takeTop();
    const fill = this.blankFill();
    if (this.bottom < this.height - 1) this.rows.put(this.bottom, fill);
    else {
      this.#onPage = false;
      if (fill !== PLAIN) this.rows.put(this.rows.length, fill);
    }
  }

  /** RI: up in the same column; at the region's top its rows move down. */
  reverseIndex(): void {
    this.#restrict();
    if (this.y === this.top) this.rows.insert(this.top, 1, this.bottom, this.blankFill());
    else if (this.y > 0) this.y--;
  }

  /** Style of rows that come in: on a log they are always plain, lest a colour left on paints every row. */
  blankFill(): number {
    return this.isLog ? PLAIN : this.pen.eraseStyle;
  }

  /** Moves the cursor as CUU, CUD, CUF, CUB do; vertically it stops at the region's margin. */
  move(dx: number, dy: number): void {
    this.#restrict();
    if (dx !== 0) this.x = Math.max(0, dx > 0 ? Math.max(this.x, Math.min(this.x + dx, this.#reach)) : this.x + dx);
    if (dy < 0) this.y = Math.max(this.y + dy, this.y >= this.top ? this.top : 0);
    if (dy > 0) this.y = Math.min(this.y + dy, this.y <= this.bottom ? this.bottom : this.height - 1);
  }

  /** CHA: a column of this row, from 0. */
  toColumn(x: number): void {
    this.x = Math.min(x, this.#reach);
  }

  /** CUP, VPA: a row from 0; on a log it is counted from the top of a page of its own. */
  toRow(y: number): void {
    if (this.isLog && !this.#onPage) this.beginPage();
    this.y = Math.min(y, this.height - 1);
    this.x = Math.min(this.x, this.#reach);
  }

  tab(): void {
    if (this.x < this.columns) this.x = Math.min((Math.floor(this.x / TAB) + 1) * TAB, this.columns - 1);
  }

  tabBack(): void {
    if (this.x < this.columns) this.x = Math.max(0, (Math.ceil(this.x / TAB) - 1) * TAB);
  }

  backspace(): void {
    this.#restrict();
    if (this.x > 0) this.x--;
  }

  saveCursor(): void {
    const { fg, bg, flags } = this.pen;
    this.#saved = { x: this.x, row: this.rows.taken + this.y, pen: { fg, bg, flags } };
  }

  /** Without a saved one, the cursor goes to the top left corner and the pen is reset. */
  restoreCursor(): void {
    const { x, row, pen } = this.#saved ?? { x: 0, row: 0, pen: null };
    this.x = Math.min(x, this.columns - 1);
    this.y = Math.min(Math.max(row - this.rows.taken, 0), this.height - 1);
    if (pen) this.pen.set(pen.fg, pen.bg, pen.flags);
    else this.pen.reset();
  }

  /** Whether erasing the whole screen may do so: on a log only a page of its own, else it begins one. */
  mayErase(): boolean {
    if (!this.isLog || this.#onPage) return true;
    this.beginPage();
    return false;
  }

  /** Freezes all rows; the cursor is on a fresh row below them, in its column. */
  beginPage(): void {
    this.freezeAll();
    this.#onPage = true;
  }

  freezeAll(): void {
    while (this.rows.length > 0) this.rows.takeTop();
    this.y = 0;
  }

  /** Forgets all rows. */
  clear(): void {
    this.rows.drop();
    this.x = this.y = 0;
  }

  /** ESC c: the cursor in the top left corner, the pen as at the beginning. */
  reset(): void {
    this.x = this.y = this.top = 0;
    this.bottom = this.height - 1;
    this.pen.reset();
    this.lastRun = "";
  }

  /** Columns that editing on this row reaches. */
  get edge(): number {
    return this.#reach + 1;
  }

  /** The rightmost column for cursor movement. */
  get #reach(): number {
    return this.isLog ? Math.max(REACH - 1, this.rows.at(this.y)?.columns ?? 0) : this.columns - 1;
  }

  #restrict(): void {
    this.x = Math.min(this.x, this.columns - 1);
  }
}
