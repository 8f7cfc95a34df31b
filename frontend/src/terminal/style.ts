/** Styles as numbers: a pen that SGR sequences change, and the table that names each style by a small id. */
import type { Style, StyleNames } from "./types";

export const BOLD = 1;
export const DIM = 2;
export const ITALIC = 4;
export const UNDERLINE = 8;
export const INVERSE = 16;
export const STRIKE = 32;
export const HIDDEN = 64;
const FLAGS = 128;

/** No colour of its own: the page's. Packed as -1, because 0 is palette black. */
export const DEFAULT_COLOUR = -1;
/** Set in a packed colour that holds 0xRRGGBB instead of a palette index. */
export const RGB = 0x1000000;

/** Id of unstyled text. */
export const PLAIN = 0;

/**
 * Styles kept as they are; a job that paints photographs would else grow the table for ever. Beyond it,
 * RGB colours become the nearest of the palette; beyond twice as many, text is plain.
 */
export const MAX_EXACT_STYLES = 65_536;

/** Names each (foreground, background, flags) by a small id; 0 is unstyled. */
export class StyleTable implements StyleNames {
  readonly #ids = new Map<number, Map<number, number>>();
  readonly #styles: Style[] = [styleOf(DEFAULT_COLOUR, DEFAULT_COLOUR, 0)];

  /** The id of a style, the same for the same style. */
  id(fg: number, bg: number, flags: number): number {
    if (fg === DEFAULT_COLOUR && bg === DEFAULT_COLOUR && flags === 0) return PLAIN;
    const key = (fg + 1) * FLAGS + flags;
    let row = this.#ids.get(key);
    const known = row?.get(bg);
    if (known !== undefined) return known;
    const count = this.#styles.length;
    if (count >= MAX_EXACT_STYLES) {
      if (fg >= RGB || bg >= RGB) return this.id(nearest(fg), nearest(bg), flags);
      if (count >= 2 * MAX_EXACT_STYLES) return PLAIN;
    }
    this.#styles.push(styleOf(fg, bg, flags));
    if (!row) this.#ids.set(key, (row = new Map()));
    row.set(bg, count);
    return count;
  }

  /** RangeError for an id that this table never gave. */
  get(id: number): Style {
    const style = this.#styles[id];
    if (!style) throw new RangeError(`no style ${id}: ids below ${this.#styles.length} are known`);
    return style;
  }
}

function styleOf(fg: number, bg: number, flags: number): Style {
  return Object.freeze({
    fg: fg === DEFAULT_COLOUR ? null : fg,
    bg: bg === DEFAULT_COLOUR ? null : bg,
    bold: (flags & BOLD) !== 0,
    dim: (flags & DIM) !== 0,
    italic: (flags & ITALIC) !== 0,
    underline: (flags & UNDERLINE) !== 0,
    inverse: (flags & INVERSE) !== 0,
    strike: (flags & STRIKE) !== 0,
    hidden: (flags & HIDDEN) !== 0,
  });
}

/** The palette's 6 × 6 × 6 cube begins at index 16. */
function nearest(colour: number): number {
  if (colour < RGB) return colour;
  const level = (shift: number): number => Math.round((((colour >> shift) & 0xff) * 5) / 255);
  return 16 + 36 * level(16) + 6 * level(8) + level(0);
}

/** The colours and attributes that printed text gets; a plain value, saved and restored with the cursor. */
export interface PenState {
  readonly fg: number;
  readonly bg: number;
  readonly flags: number;
}

export class Pen implements PenState {
  #fg = DEFAULT_COLOUR;
  #bg = DEFAULT_COLOUR;
  #flags = 0;
  /** Looked up at the first use after a change, since several sequences often follow each other. */
  #style: number | null = PLAIN;

  constructor(readonly table: StyleNames) {}

  get fg(): number { return this.#fg; }
  get bg(): number { return this.#bg; }
  get flags(): number { return this.#flags; }

  set(fg: number, bg: number, flags: number): void {
    this.#fg = fg;
    this.#bg = bg;
    this.#flags = flags;
    this.#style = null;
  }

  reset(): void {
    this.set(DEFAULT_COLOUR, DEFAULT_COLOUR, 0);
  }

  /** Id of the style that printed text gets. */
  get style(): number {
    return (this.#style ??= this.table.id(this.#fg, this.#bg, this.#flags));
  }

  /** Id of the style that erased cells get: the background alone. */
  get eraseStyle(): number {
    return this.table.id(DEFAULT_COLOUR, this.#bg, 0);
  }
}
