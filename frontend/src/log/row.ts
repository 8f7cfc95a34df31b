import type { Line, Span } from "../terminal/types";
import { missingNote } from "./missingnote";
import type { Palette } from "./palette";

/** A position in the text of the log: a line and a UTF-16 column of it. */
export interface TextPoint {
  readonly line: number;
  readonly column: number;
}

/** Left and right of the text, as in log.css. */
const TEXT_PADDING_PX = 26;

const numbers = new Intl.NumberFormat();

/**
 * One row of the window: the DOM of one line. Rows are reused for other lines. Line number and time
 * are drawn by the style sheet from attributes, so that a selection never holds them.
 */
export class Row {
  readonly element = document.createElement("div");
  readonly #gutter = document.createElement("span");
  readonly #time = document.createElement("span");
  readonly #text = document.createElement("span");
  #line = -1;
  #shown: Line | null = null;
  #limit = 0;

  constructor(private readonly palette: Palette) {
    this.element.className = "row";
    this.#gutter.className = "row-number";
    this.#time.className = "row-time";
    this.#text.className = "row-text";
    this.element.append(this.#gutter, this.#time, this.#text);
  }

  get line(): number {
    return this.#line;
  }

  /** Width that text can fill, in px. */
  get textWidth(): number {
    return this.#text.clientWidth - TEXT_PADDING_PX;
  }

  /** Number of the line of output that is shown; null for none. */
  get number(): number | null {
    return !this.#shown || this.#shown.missing ? null : this.#shown.number;
  }

  mark(isMarked: boolean): void {
    this.element.classList.toggle("is-marked", isMarked);
  }

  /** Shows row `number`, at most `limit` characters of it. Gives whether the text nodes changed. */
  show(number: number, line: Line, limit: number): boolean {
    if (this.#line !== number) {
      this.#line = number;
      this.element.dataset["line"] = String(number);
    }
    const shown = this.#shown;
    if (shown && this.#limit === limit && sameLine(shown, line)) return false;
    if (!shown || shown.number !== line.number || shown.missing !== line.missing) {
      this.#gutter.dataset["n"] = line.missing ? "" : String(line.number);
    }
    if (!shown || shown.time !== line.time || shown.missing !== line.missing) {
      this.#time.dataset["t"] = line.missing ? "" : clock(line.time);
    }
    if (shown?.stream !== line.stream) this.element.classList.toggle("is-stderr", line.stream === 2);
    this.#shown = line;
    this.#limit = limit;
    this.#fill(line, limit);
    return true;
  }

  /** The DOM position of a column. */
  positionOf(column: number): { node: Node; offset: number } {
    const walker = document.createTreeWalker(this.#text, NodeFilter.SHOW_TEXT);
    let left = column;
    let last: Node | null = null;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.parentElement?.closest(".row-more, .row-gap")) break;
      last = node;
      const length = node.nodeValue?.length ?? 0;
      if (left <= length) return { node, offset: left };
      left -= length;
    }
    if (last) return { node: last, offset: last.nodeValue?.length ?? 0 };
    return { node: this.#text, offset: 0 };
  }

  /** The column of a DOM position somewhere in this row. */
  columnOf(node: Node, offset: number): number {
    const length = this.#shown?.text.length ?? 0;
    const range = document.createRange();
    range.selectNodeContents(this.#text);
    const place = range.comparePoint(node, offset);
    if (place < 0) return 0;
    if (place > 0) return length;
    range.setEnd(node, offset);
    return Math.min(length, range.toString().length);
  }

  #fill(line: Line, limit: number): void {
    this.element.classList.toggle("is-gap", line.missing !== undefined);
    if (line.missing) {
      this.#text.replaceChildren(missingNote(line.missing));
      return;
    }
    const end = Math.min(line.text.length, limit);
    if (line.spans.length === 0 && line.fill === undefined && end === line.text.length) {
      this.#text.textContent = line.text;
      return;
    }
    const parts: (Node | string)[] = [];
    let at = 0;
    for (const span of line.spans) {
      if (span.start >= end) break;
      if (span.start > at) parts.push(line.text.slice(at, span.start));
      parts.push(this.palette.element(span.style, line.text.slice(span.start, Math.min(span.end, end))));
      at = Math.min(span.end, end);
    }
    if (at < end) parts.push(line.text.slice(at, end));
    if (end < line.text.length) {
      const more = document.createElement("button");
      more.type = "button";
      more.className = "row-more";
      more.dataset["more"] = `… ${numbers.format(line.text.length - end)} more characters`;
      more.setAttribute("aria-label", "Show more of this line");
      parts.push(more);
    }
    if (line.fill !== undefined) {
      const rest = this.palette.element(line.fill, "");
      rest.classList.add("row-fill");
      parts.push(rest);
    }
    this.#text.replaceChildren(...parts);
  }
}

function sameLine(a: Line, b: Line): boolean {
  if (a === b) return true;
  if (a.text !== b.text || a.stream !== b.stream || a.time !== b.time || a.number !== b.number) return false;
  if (a.missing !== b.missing || a.fill !== b.fill || a.spans.length !== b.spans.length) return false;
  return a.spans.every((span, index) => sameSpan(span, b.spans[index]));
}

function sameSpan(a: Span, b: Span | undefined): boolean {
  return b !== undefined && a.start === b.start && a.end === b.end && a.style === b.style;
}

/** Local time of day with milliseconds. */
function clock(ms: number): string {
  const at = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${day}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}
