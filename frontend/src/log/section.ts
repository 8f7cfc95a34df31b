import { createLogModel } from "../terminal/index";
import type { LogModel, StyleNames } from "../terminal/types";
import type { Mark, Piece } from "./mark";

const LINE_FEED = 10;
/** How far a section that begins somewhere looks for the beginning of a line. */
const MAX_SEEK_BYTES = 65_536;
/** Bytes between two places at which the front can be cut off. */
const CUT_BYTES = 65_536;
/**
 * After so many bytes without a line end it is cut in a row of that line: when its front is dropped there, what the row
 * shows from before the cut counts as missing too.
 */
const FORCED_CUT_BYTES = 1_048_576;

interface Cut extends Mark {
  /** The model's row in which the output from here on begins. */
  readonly row: number;
}

/** Contiguous output that is here, in a terminal model of its own. It grows at its end and is dropped from its front. */
export class Section {
  readonly model: LogModel;
  #start: Mark;
  #endOffset: number;
  #seeks: boolean;
  #sought = 0;
  #cuts: Cut[] = [];
  #sinceCut = 0;

  /** @param seeks it may begin inside of a line: what is left of that line is not taken */
  constructor(start: Mark, styles: StyleNames, seeks: boolean) {
    this.model = createLogModel({ styles });
    this.model.nextNumber = start.line;
    this.#start = start;
    this.#endOffset = start.offset;
    this.#seeks = seeks;
  }

  get start(): Mark {
    return this.#start;
  }

  get end(): Mark {
    return { offset: this.#endOffset, line: this.model.nextNumber };
  }

  get rows(): number {
    return this.model.endLine - this.model.firstLine;
  }

  get isEmpty(): boolean {
    return this.#endOffset === this.#start.offset && this.rows === 0;
  }

  /** Takes the bytes that follow its end. */
  write({ data, stream, time, line }: Omit<Piece, "offset">): void {
    if (line !== null) this.#number(line);
    let rest = this.#seeks ? this.#fromLineStart(data) : data;
    this.#sinceCut += rest.length;
    const lastEnd = this.#sinceCut >= CUT_BYTES ? rest.lastIndexOf(LINE_FEED) : -1;
    if (lastEnd >= 0) {
      this.#take(rest.subarray(0, lastEnd + 1), stream, time);
      rest = rest.subarray(lastEnd + 1);
      this.#cut(this.model.endLine);
    }
    this.#take(rest, stream, time);
    const row = this.model.endLine - 1;
    if (this.#sinceCut >= FORCED_CUT_BYTES && row > (this.#cuts.at(-1)?.row ?? this.model.firstLine)) this.#cut(row);
  }

  /** Forgets about CUT_BYTES at its front, as far as programs cannot rewrite them; gives how many rows that were. */
  dropFront(): number {
    const before = this.model.firstLine;
    for (let cut = this.#cuts[0]; cut && cut.row <= this.model.frozenLine; cut = this.#cuts[0]) {
      this.#cuts.shift();
      this.#start = { offset: cut.offset, line: cut.line };
      this.model.dropBefore(cut.row);
      if (this.model.firstLine > before) break;
    }
    return this.model.firstLine - before;
  }

  /** Forgets what is here; it goes on at its end. */
  clear(): void {
    this.model.clear();
    this.#start = this.end;
    this.#cuts = [];
    this.#sinceCut = 0;
  }

  #number(line: number): void {
    this.model.nextNumber = line;
    if (this.#endOffset === this.#start.offset) this.#start = { offset: this.#start.offset, line };
  }

  #take(data: Uint8Array, stream: 1 | 2, time: number): void {
    if (data.length === 0) return;
    this.model.write(data, stream, time);
    this.#endOffset += data.length;
  }

  #cut(row: number): void {
    this.#cuts.push({ ...this.end, row });
    this.#sinceCut = 0;
  }

  /** What is left of `data` from the beginning of a line on; of a character, when no line ends for long. */
  #fromLineStart(data: Uint8Array): Uint8Array {
    const lineEnd = data.indexOf(LINE_FEED);
    let skipped = lineEnd + 1;
    if (lineEnd < 0 && this.#sought + data.length < MAX_SEEK_BYTES) skipped = data.length;
    else {
      this.#seeks = false;
      if (lineEnd < 0) skipped = continuation(data);
    }
    this.#sought += skipped;
    if (lineEnd >= 0) this.model.nextNumber += 1;
    this.#endOffset += skipped;
    this.#start = this.end;
    return data.subarray(skipped);
  }
}

/** Bytes at the beginning that belong to a UTF-8 character which began before. */
function continuation(data: Uint8Array): number {
  let at = 0;
  while (at < 3 && ((data[at] ?? 0) & 0xc0) === 0x80) at += 1;
  return at;
}
