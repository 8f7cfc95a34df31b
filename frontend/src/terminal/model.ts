/** The log model: decoders, parsers, screen and store put together behind the seam. */
import { joinLines } from "./block";
import { LineStore } from "./linestore";
import { Parser } from "./parser";
import type { Row } from "./row";
import { Screen } from "./screen";
import { search } from "./search";
import type { SearchText } from "./search";
import { StyleTable } from "./style";
import type {
  Line, LogModel, LogModelOptions, SearchQuery, SearchResult, StreamId, Style, StyleNames,
} from "./types";

/** Rows that a program can still rewrite; more than any terminal that people use has. */
export const DEFAULT_TAIL_ROWS = 100;

/** Names of styles that several models share. */
export function createStyles(): StyleNames {
  return new StyleTable();
}

export function createLogModel(options: LogModelOptions = {}): LogModel {
  return new Model(options);
}

class Model implements LogModel {
  readonly #styles: StyleNames;
  readonly #store = new LineStore();
  readonly #screen: Screen;
  readonly #inputs: Readonly<Record<StreamId, Input>>;

  /** Whether something beyond Latin-1 was printed while the last block filled. */
  #sawWide = false;

  constructor({ styles, tailRows, columns }: LogModelOptions) {
    this.#styles = styles ?? createStyles();
    const height = positive("tailRows", tailRows ?? DEFAULT_TAIL_ROWS);
    if (columns !== undefined && positive("columns", columns) < 2) throw new RangeError("columns must be at least 2");
    this.#screen = new Screen(height, columns, this.#styles, (row) => this.#freeze(row));
    this.#inputs = { 1: new Input(this.#screen), 2: new Input(this.#screen) };
  }

  get firstLine(): number { return this.#store.first; }
  get frozenLine(): number { return this.#store.end; }
  get endLine(): number { return this.#store.end + this.#screen.rows.length; }
  get bytes(): number { return this.#store.bytes; }
  get nextNumber(): number { return this.#screen.rows.number; }
  set nextNumber(number: number) { this.#screen.rows.number = number; }

  write(data: Uint8Array, stream: StreamId, time: number): void {
    const { rows } = this.#screen;
    rows.time = time;
    rows.stream = stream;
    this.#inputs[stream].write(data);
  }

  clear(): void {
    this.#store.clear(this.endLine);
    this.#screen.clear();
  }

  dropBefore(line: number): void {
    this.#store.dropBefore(line);
  }

  rowOf(number: number): number {
    const last = this.#find(number);
    if (last < this.firstLine) return this.firstLine;
    // several rows may have begun in one line: the first of them
    return Math.max(this.firstLine, this.#find(this.line(last).number - 1) + 1);
  }

  #find(number: number): number {
    const { rows } = this.#screen;
    for (let y = rows.length - 1; y >= 0; y--) {
      if ((rows.at(y) as Row).number <= number) return this.#store.end + y;
    }
    return this.#store.find(number);
  }

  line(n: number): Line {
    this.#check(n);
    return n < this.#store.end ? this.#store.line(n) : (this.#screen.rows.at(n - this.#store.end) as Row).line();
  }

  styleOf(id: number): Style {
    return this.#styles.get(id);
  }

  search(query: SearchQuery, limit: number): SearchResult {
    const from = Math.max(query.from ?? this.firstLine, this.firstLine);
    const to = Math.min(query.to ?? this.endLine, this.endLine);
    return search(this.#texts(from, to), query, limit, from, to);
  }

  text(from: number, to: number): string {
    if (from >= to) return "";
    this.#check(from);
    this.#check(to - 1);
    const parts: string[] = [];
    for (let n = from; n < to; n++) {
      const { text, wrapped } = this.line(n);
      if (n > from && !wrapped) parts.push("\n");
      parts.push(text);
    }
    return parts.join("");
  }

  *#texts(from: number, to: number): Generator<SearchText> {
    if (from >= to) return;
    yield* this.#store.blocks(from, to);
    const { rows } = this.#screen;
    if (to <= this.#store.end) return;
    const texts = Array.from({ length: rows.length }, (_, y) => (rows.at(y) as Row).line().text);
    yield { ...joinLines(texts), first: this.#store.end, count: rows.length };
  }

  #freeze(row: Row): void {
    const { text, spans } = row.content();
    const { time, stream, wrapped, fill, number } = row;
    if (!this.#store.add({ text, spans, time, stream, wrapped, fill, number }, row.wide)) return;
    const { sawWide } = this.#screen;
    // rows of the tail may come from the block before
    this.#store.seal(sawWide || this.#sawWide);
    this.#sawWide = sawWide;
    this.#screen.sawWide = false;
  }

  #check(n: number): void {
    if (n >= this.firstLine && n < this.endLine && Number.isInteger(n)) return;
    throw new RangeError(`no line ${n}: lines ${this.firstLine} to ${this.endLine - 1} are kept`);
  }
}

/** One stream's way to the screen; what a chunk's end cuts in two is kept until the next one. */
class Input {
  /** Invalid bytes become U+FFFD; a byte order mark is left to the screen, which knows that it is inside of text. */
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #parser: Parser;

  constructor(screen: Screen) {
    this.#parser = new Parser(screen);
  }

  write(data: Uint8Array): void {
    this.#parser.write(this.#decoder.decode(data, { stream: true }));
  }
}

function positive(name: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value;
  throw new RangeError(`${name} must be a whole number above 0, not ${value}`);
}
