/** How many columns a character takes on a terminal. */
import { WIDE_RANGES, ZERO_RANGES } from "./widthranges";

export type CharWidth = 0 | 1 | 2;

/** Below it every printable character takes one column: no look-up (U+0300 is the first combining mark). */
export const FIRST_UNUSUAL = 0x300;

const CODE_POINTS = 0x110000;
/** Widths are looked up in pages of 256 code points, of which most are shared: 1 MiB less than a flat table. */
const PAGE_BITS = 8;
const PAGE_SIZE = 1 << PAGE_BITS;

let pages: Uint8Array[] | null = null;

function paint(table: Uint8Array[], ranges: string, width: CharWidth): void {
  let last = 0;
  for (const range of ranges.trim().split(/\s+/)) {
    const [gap, length] = range.split("-");
    const start = last + parseInt(gap as string, 16);
    last = start + (length === undefined ? 0 : parseInt(length, 16));
    for (let code = start; code <= last; ) {
      const page = code >> PAGE_BITS;
      const end = Math.min(last + 1, (page + 1) << PAGE_BITS);
      if (table[page] === NARROW) table[page] = NARROW.slice();
      (table[page] as Uint8Array).fill(width, code & (PAGE_SIZE - 1), ((end - 1) & (PAGE_SIZE - 1)) + 1);
      code = end;
    }
  }
}

const NARROW = new Uint8Array(PAGE_SIZE).fill(1);

/** Made at the first unusual character, because importing a module does no work. */
function build(): Uint8Array[] {
  const table = new Array<Uint8Array>(CODE_POINTS >> PAGE_BITS).fill(NARROW);
  paint(table, WIDE_RANGES, 2);
  paint(table, ZERO_RANGES, 0);
  return table;
}

/** Columns of a printable code point; a selector or joiner takes none, so that an emoji keeps its base's width. */
export function charWidth(code: number): CharWidth {
  if (code < FIRST_UNUSUAL) return 1;
  pages ??= build();
  return (pages[code >> PAGE_BITS] as Uint8Array)[code & (PAGE_SIZE - 1)] as CharWidth;
}
