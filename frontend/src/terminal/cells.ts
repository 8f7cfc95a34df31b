/**
 * Cells: a row taken apart into columns, which overwriting and erasing need.
 *
 * A cell is the text of one column: "" when nothing was printed there, a character with the marks that join it
 * otherwise. A wide character is followed by a cell that holds REST.
 */
import { addSpan } from "./spans";
import { charWidth } from "./width";

/** The second column of a wide character; no program can print it. */
export const REST = "\u0000";

export class Cells {
  readonly glyphs: string[] = [];
  readonly styles: number[] = [];

  get length(): number {
    return this.glyphs.length;
  }

  /** Adds empty cells up to a length. */
  pad(length: number, style: number): void {
    while (this.glyphs.length < length) this.put(this.glyphs.length, "", style);
  }

  put(at: number, glyph: string, style: number): void {
    this.glyphs[at] = glyph;
    this.styles[at] = style;
  }

  isWide(at: number): boolean {
    const code = this.glyphs[at]?.codePointAt(0);
    return code !== undefined && charWidth(code) === 2;
  }

  /** Empties the half that is left of a wide character when a change begins at `at`, inside it. */
  breakBefore(at: number, style: number): void {
    if (at > 0 && this.isWide(at - 1)) this.put(at - 1, "", style);
  }

  /** Empties the half that is left of a wide character when a change ends at `at`, inside it. */
  breakAfter(at: number, style: number): void {
    if (this.glyphs[at] === REST) this.put(at, "", style);
  }

  /**
   * Prints a run from column x on and answers the column after it. A mark joins the character before it; where
   * there is none it takes a column, so that no character is lost.
   */
  print(x: number, run: string, style: number): number {
    this.breakBefore(x, style);
    let at = x;
    for (const char of run) {
      const width = charWidth(char.codePointAt(0) as number);
      if (width === 0 && this.join(at, char)) continue;
      this.put(at++, char, style);
      if (width === 2) this.put(at++, REST, style);
    }
    this.breakAfter(at, style);
    return at;
  }

  /** The same for a run whose characters all take one UTF-16 unit and one column. */
  printNarrow(x: number, run: string, style: number): number {
    this.breakBefore(x, style);
    const { glyphs, styles } = this;
    for (let i = 0; i < run.length; i++) {
      glyphs[x + i] = run[i] as string;
      styles[x + i] = style;
    }
    this.breakAfter(x + run.length, style);
    return x + run.length;
  }

  /** Fills empty cells with a text, unstyled, and answers the column of each of its UTF-16 units and of its end. */
  take(text: string): Uint32Array {
    const columns = new Uint32Array(text.length + 1);
    let index = 0;
    for (const char of text) {
      columns.fill(this.length, index, index + char.length);
      this.print(this.length, char, 0);
      index += char.length;
    }
    columns[index] = this.length;
    return columns;
  }

  private join(at: number, mark: string): boolean {
    const base = this.glyphs[at - 1] === REST ? at - 2 : at - 1;
    if (base < 0 || !this.glyphs[base]) return false;
    this.glyphs[base] += mark;
    return true;
  }

  erase(from: number, to: number, style: number): void {
    this.breakBefore(from, style);
    this.breakAfter(to, style);
    this.glyphs.fill("", from, to);
    this.styles.fill(style, from, to);
  }

  truncate(length: number, style: number): void {
    this.breakBefore(length, style);
    this.glyphs.length = this.styles.length = Math.min(this.length, length);
  }

  insert(at: number, count: number, style: number): void {
    this.breakBefore(at, style);
    if (this.glyphs[at] === REST) this.glyphs[at] = "";
    this.glyphs.splice(at, 0, ...new Array<string>(count).fill(""));
    this.styles.splice(at, 0, ...new Array<number>(count).fill(style));
  }

  remove(at: number, count: number, style: number): void {
    this.glyphs.splice(at, count);
    this.styles.splice(at, count);
    this.breakBefore(at, style);
    this.breakAfter(at, style);
  }

  /** Drops empty cells at the end that look like what lies beyond the end anyway. */
  trim(fill: number): void {
    let length = this.length;
    while (length > 0 && this.glyphs[length - 1] === "" && this.styles[length - 1] === fill) length--;
    if (length < this.length) this.glyphs.length = this.styles.length = length;
  }

  /** The text, with spaces for empty cells, and its styled parts as triples start, end, style. */
  flatten(): { text: string; spans: number[] } {
    const { glyphs, styles } = this;
    const spans: number[] = [];
    let text = "";
    for (let at = 0; at < glyphs.length; at++) {
      const glyph = glyphs[at] as string;
      if (glyph === REST) continue;
      const start = text.length;
      text += glyph === "" ? " " : glyph;
      addSpan(spans, start, text.length, styles[at] as number);
    }
    return { text, spans };
  }
}
