import type { LogText } from "../terminal/types";
import {
  ROW_PX,
  clamp,
  endPlace,
  isBefore,
  movePlace,
  placeAt,
  scrollTopOf,
  type Extent,
  type Place,
} from "./geometry";
import type { Rows } from "./rows";
import { moved, type Splice } from "./splice";

/** Where the reader is in the log, and how to move from there. */
export class Viewpoint {
  /** Height of the view in px. */
  viewPx = 0;
  wrapped = false;
  /** Characters in a row of a wrapped line. */
  columns = 80;
  #place: Place = { line: 0, hiddenPx: 0 };

  constructor(
    private readonly model: LogText,
    private readonly rows: Rows,
  ) {}

  get extent(): Extent {
    const { firstLine, endLine } = this.model;
    return { firstLine, endLine, viewPx: this.viewPx, wrapped: this.wrapped };
  }

  /** The line at the upper edge. */
  get topLine(): number {
    return this.#place.line;
  }

  get isAtEnd(): boolean {
    return !isBefore(this.#place, endPlace(this.extent, this.#heightOf));
  }

  /** Where the scrollbar stands for this place. */
  get scrollTop(): number {
    const extent = this.extent;
    const isEmpty = extent.endLine <= extent.firstLine;
    const line = clamp(this.#place.line, extent.firstLine, extent.endLine - 1);
    return scrollTopOf(this.#place, extent, isEmpty ? ROW_PX : this.#heightOf(line));
  }

  /** Px from the top of line `from` to the upper edge. */
  pxBelow(from: number): number {
    let px = this.#place.hiddenPx;
    for (let line = from; line < this.#place.line; line += 1) px += this.#heightOf(line);
    return px;
  }

  toStart(): void {
    this.#place = { line: this.model.firstLine, hiddenPx: 0 };
  }

  /** Puts a line `px` below the upper edge. */
  toLine(line: number, px: number): void {
    this.#place = { line, hiddenPx: 0 };
    this.move(-px);
  }

  move(px: number): void {
    this.#place = movePlace(this.#place, px, this.extent, this.#heightOf);
  }

  /** Goes to where the scrollbar points. */
  toScrollTop(top: number): void {
    this.#place = placeAt(top, this.extent);
  }

  /** Rows have other numbers now; a place among those that are gone is at their neighbour that stands still. */
  splice(splice: Splice): void {
    const line = moved(this.#place.line, splice);
    const end = splice.at + splice.removed;
    if (line !== null) this.#place = { ...this.#place, line };
    else this.#place = { line: splice.keep === "below" ? end : end - splice.added, hiddenPx: 0 };
  }

  /** Keeps within the lines that there are; to the end when `stuck`. */
  settle(stuck: boolean): void {
    const end = endPlace(this.extent, this.#heightOf);
    if (stuck || isBefore(end, this.#place)) this.#place = end;
    if (this.#place.line < this.model.firstLine) this.toStart();
  }

  readonly #heightOf = (line: number): number =>
    this.wrapped ? this.rows.heightOf(line, this.columns) : ROW_PX;
}
