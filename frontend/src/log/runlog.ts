import { Listeners } from "../connection/listeners";
import { createStyles } from "../terminal/index";
import type { Line, LogText, SearchQuery, SearchResult, StreamId, Style } from "../terminal/types";
import { Hole, missingText } from "./hole";
import { isLost, type Mark, type OutputItem } from "./mark";
import { DEFAULT_LIMITS, Memory, type MemoryLimits } from "./memory";
import { Parts, type Part } from "./parts";
import { Section } from "./section";
import type { Splice } from "./splice";

/** Where a line of the output is: in a row, in a hole, or beyond what there is so far. */
export type Found =
  | { readonly kind: "row"; readonly row: number }
  | { readonly kind: "hole"; readonly hole: Hole }
  | { readonly kind: "beyond" };

const BEGINNING: Mark = { offset: 0, line: 1 };

/**
 * The output of a run as far as it is here: sections of text, and a row for each hole between them. Each byte is in
 * one part, and the parts are in the order of the bytes. The window and the search see one list of rows.
 */
export class RunLog implements LogText {
  readonly onSplice: Listeners<Splice>;
  /** This row, which stands for a hole, looks different. */
  readonly onTouch = new Listeners<number>();
  /** The row that the reader looks at: when memory is short, what is near to it stays. */
  readerAt: () => number = () => this.endLine;

  readonly #styles = createStyles();
  readonly #parts: Parts;
  readonly #memory: Memory;

  constructor(limits: MemoryLimits = DEFAULT_LIMITS) {
    this.#parts = new Parts(this.section(BEGINNING, false));
    this.#memory = new Memory(this.#parts, limits);
    this.onSplice = this.#parts.onSplice;
  }

  // What it shows

  get firstLine(): number {
    return this.#parts.firstRow;
  }

  get endLine(): number {
    return this.#parts.endRow;
  }

  get frozenLine(): number {
    return this.#parts.frozenRow;
  }

  /** Number of the line of output that is being written at the live end. */
  get lastNumber(): number {
    return this.#parts.live.end.line;
  }

  line(row: number): Line {
    const index = this.#indexAt(row);
    const part = this.#parts.at(index) as Part;
    if (part instanceof Section) return part.model.line(row - this.#zero(index, part));
    return part.line(this.#isText(index - 1), this.#isText(index + 1));
  }

  styleOf(id: number): Style {
    return this.#styles.get(id);
  }

  search(query: SearchQuery, limit: number): SearchResult {
    const all: SearchResult = { matches: [], total: 0 };
    for (const [section, zero, from, to] of this.#sections(query.from ?? this.firstLine, query.to ?? this.endLine)) {
      const room = Math.max(0, limit - all.matches.length);
      const found = section.model.search({ ...query, from: from - zero, to: to - zero }, room);
      for (const match of found.matches) all.matches.push({ ...match, line: match.line + zero });
      all.total += found.total;
      if (found.partial) all.partial = true;
      if (found.error !== undefined) return { ...all, error: found.error };
    }
    return all;
  }

  text(from: number, to: number): string {
    if (from >= to) return "";
    this.#indexAt(from);
    const texts: string[] = [];
    for (let index = this.#indexAt(to - 1); index >= 0; index -= 1) {
      const part = this.#parts.at(index) as Part;
      const base = this.#parts.base(index);
      const [first, end] = [Math.max(from, base), Math.min(to, base + part.rows)];
      if (base + part.rows <= from) break;
      if (first >= end) continue;
      const zero = part instanceof Section ? this.#zero(index, part) : 0;
      texts.push(part instanceof Section ? part.model.text(first - zero, end - zero) : holeText(part));
    }
    return texts.reverse().join("\n");
  }

  // What comes in at the live end

  /** The byte that the live end has reached. */
  get end(): Mark {
    return this.#parts.live.end;
  }

  write(data: Uint8Array, stream: StreamId, time: number, line: number | null = null): void {
    const { live } = this.#parts;
    const before = live.start;
    live.write({ data, stream, time, line });
    if (live.start !== before) this.#startMoved(before);
    this.#memory.keepWithin(this.readerAt());
  }

  /** Bytes up to `offset` are no longer kept; `line` is the line in which that byte lies, if it is known. */
  gap(offset: number, line: number | null): void {
    this.#leap(offset, line, true);
  }

  /** What comes next begins at byte `offset`; what is before it can be loaded. */
  skip(offset: number, line: number | null): void {
    this.#leap(offset, line, false);
  }

  /** Forgets all text; it can be loaded again. */
  clear(): void {
    const { list, live, firstRow, endRow } = this.#parts;
    const start = (list[0] as Part).start;
    if (start.offset === live.end.offset) return;
    live.clear();
    const hole = new Hole(start, live.end, false);
    const change = { at: firstRow, removed: endRow - firstRow, keep: "below", isFresh: false } as const;
    this.#parts.replace(0, list.length - 1, [hole], change);
  }

  // What is loaded later

  /** A section that is not part of the log yet: for `put`. */
  section(start: Mark, seeks: boolean): Section {
    return new Section(start, this.#styles, seeks);
  }

  /** Where a line of the output is, by its number. */
  find(number: number): Found {
    if (number > this.lastNumber) return { kind: "beyond" };
    const { list } = this.#parts;
    let index = list.length - 1;
    while (index > 0 && (list[index] as Part).start.line > number) index -= 1;
    const part = list[index] as Part;
    // the line may have begun above, and go on here
    if (part.start.line === number && index > 0) {
      const row = this.#beginning(index - 1, number);
      if (row !== null) return { kind: "row", row };
    }
    if (part instanceof Hole) return { kind: "hole", hole: part };
    if (part === this.#parts.live && this.#beginning(index, number) === null && number === this.lastNumber) {
      return { kind: "beyond" };
    }
    return { kind: "row", row: part.model.rowOf(number) + this.#zero(index, part) };
  }

  /** The hole that stands in a row. */
  holeAt(row: number): Hole | null {
    if (row < this.firstLine || row >= this.endLine) return null;
    const part = this.#parts.at(this.#indexAt(row));
    return part instanceof Hole ? part : null;
  }

  /** The hole that can be loaded at a byte. */
  holeOf(offset: number): Hole | null {
    return this.#parts.holeAround(offset, offset + 1);
  }

  /** The hole before everything else, if it can be loaded. */
  get holeAtBeginning(): Hole | null {
    const first = this.#parts.at(0);
    return first instanceof Hole && !first.isGone ? first : null;
  }

  /** Whether there is output that is not here and can be loaded. */
  get hasHoles(): boolean {
    return this.#parts.list.some((part) => part instanceof Hole && !part.isGone);
  }

  /** Whether a hole is still there. */
  has(hole: Hole): boolean {
    return this.#parts.indexOf(hole) >= 0;
  }

  /** The hole's row looks different. */
  touch(hole: Hole): void {
    const index = this.#parts.indexOf(hole);
    if (index >= 0) this.onTouch.emit(this.#parts.base(index));
  }

  /** Fills a hole from its beginning: the text above goes on. Items must follow each other without space between. */
  fill(hole: Hole, items: readonly OutputItem[], keep: Splice["keep"] = "above"): void {
    const index = this.#parts.indexOf(hole);
    const above = this.#parts.at(index - 1);
    const grown = above instanceof Section ? above : null;
    const at = this.#parts.base(index);
    const made = this.assemble(grown ?? this.section(hole.start, false), items, hole.end);
    hole.setStart((made.at(-1) as Part).end);
    const parts = [...made.filter((part) => part !== grown), ...(hole.bytes > 0 ? [hole] : [])];
    this.#parts.replace(index, 1, parts, { at, removed: 1, keep, isFresh: true });
    this.#memory.keepWithin(this.readerAt());
  }

  /** Puts parts into the hole that they belong to; gives whether there still is one. */
  put(parts: readonly Part[], keep: Splice["keep"]): boolean {
    const [start, end] = [parts[0]?.start, parts.at(-1)?.end];
    const hole = start && end ? this.#parts.holeAround(start.offset, end.offset) : null;
    if (!start || !end || !hole) return false;
    const index = this.#parts.indexOf(hole);
    const at = this.#parts.base(index);
    const below = new Hole(end, hole.end, false);
    hole.setEnd(start);
    const all = [hole, ...parts, below].filter((part) => part instanceof Section || part.bytes > 0);
    this.#parts.replace(index, 1, all, { at, removed: 1, keep, isFresh: true });
    this.#memory.keepWithin(this.readerAt());
    return true;
  }

  /**
   * Adds items to a section, and makes further parts behind it where output is gone. What lies beyond `end` is left
   * out. RangeError when an item does not follow the one before it.
   */
  assemble(section: Section, items: readonly OutputItem[], end: Mark): Part[] {
    const parts: Part[] = [section];
    let last = section;
    for (const item of items) {
      const reached = last.end;
      if (reached.offset >= end.offset) break;
      if (item.offset !== reached.offset) throw new RangeError(`output at ${item.offset}, not at ${reached.offset}`);
      if (isLost(item)) {
        const next = item.next < end.offset ? { offset: item.next, line: item.line ?? reached.line } : end;
        if (last.isEmpty) parts.pop();
        parts.push(new Hole(reached, next, true));
        parts.push((last = this.section(next, false)));
      } else last.write({ ...item, data: item.data.subarray(0, end.offset - item.offset) });
    }
    if (last.isEmpty && parts.length > 1) parts.pop();
    return parts;
  }

  #leap(offset: number, line: number | null, isGone: boolean): void {
    const { end } = this.#parts.live;
    if (offset <= end.offset) return;
    const next = { offset, line: line ?? end.line };
    this.#parts.leap(new Hole(end, next, isGone), this.section(next, !isGone));
    this.onTouch.emit(this.endLine - 1);
  }

  /** The live section begins later than it was thought to: what is before belongs to the hole above. */
  #startMoved(before: Mark): void {
    const { live } = this.#parts;
    const index = this.#parts.indexOf(live);
    const above = this.#parts.at(index - 1);
    if (above instanceof Hole && !above.isGone) {
      above.setEnd(live.start);
      this.touch(above);
    } else if (live.start.offset > before.offset) {
      // that hole has been filled meanwhile
      const change = { at: this.#parts.base(index), removed: 0, keep: "below", isFresh: false } as const;
      this.#parts.replace(index, 0, [new Hole(before, live.start, false)], change);
    }
  }

  /** The row in which line `number` begins in a section; null when it does not. */
  #beginning(index: number, number: number): number | null {
    const part = this.#parts.at(index);
    if (!(part instanceof Section) || part.rows === 0) return null;
    const row = part.model.rowOf(number);
    return part.model.line(row).number === number ? row + this.#zero(index, part) : null;
  }

  *#sections(from: number, to: number): Generator<[Section, zero: number, from: number, to: number]> {
    for (const [index, part] of this.#parts.list.entries()) {
      const base = this.#parts.base(index);
      const [first, end] = [Math.max(from, base), Math.min(to, base + part.rows)];
      if (part instanceof Section && first < end) yield [part, this.#zero(index, part), first, end];
    }
  }

  #isText(index: number): boolean {
    return this.#parts.at(index) instanceof Section;
  }

  /** The log's row for a section's row 0. */
  #zero(index: number, part: Section): number {
    return this.#parts.base(index) - part.model.firstLine;
  }

  #indexAt(row: number): number {
    if (row >= this.firstLine && row < this.endLine && Number.isInteger(row)) return this.#parts.indexAt(row);
    throw new RangeError(`no line ${row}: lines ${this.firstLine} to ${this.endLine - 1} are kept`);
  }
}

function holeText(hole: Hole): string {
  const { missing } = hole.line(false, false);
  return missing ? missingText(missing) : "";
}
