/** SGR (`CSI ... m`), colours and attributes: ECMA-48 8.3.117, ITU T.416 for the colon forms, xterm's ctlseqs. */
import type { Param } from "./csi";
import { BOLD, DEFAULT_COLOUR, DIM, HIDDEN, INVERSE, ITALIC, RGB, STRIKE, UNDERLINE } from "./style";
import type { Pen } from "./style";

const SET: Readonly<Record<number, number>> = {
  1: BOLD, 2: DIM, 3: ITALIC, 4: UNDERLINE, 7: INVERSE, 8: HIDDEN, 9: STRIKE, 21: UNDERLINE,
};
const UNSET: Readonly<Record<number, number>> = {
  22: BOLD | DIM, 23: ITALIC, 24: UNDERLINE, 27: INVERSE, 28: HIDDEN, 29: STRIKE,
};

/** Applies the parameters to the pen from left to right; unknown ones (blink, fonts, overline) change nothing. */
export function applySgr(pen: Pen, params: readonly Param[]): void {
  let { fg, bg, flags } = pen;
  for (let i = 0; i < params.length; i++) {
    const { value, subs } = params[i] as Param;
    if (value === 0) {
      fg = bg = DEFAULT_COLOUR;
      flags = 0;
    } else if (value === 4 && subs) {
      // 4:0 is no underline, 4:2 to 4:5 are other looks of it
      flags = subs[0] === 0 ? flags & ~UNDERLINE : flags | UNDERLINE;
    } else if (SET[value] !== undefined) {
      flags |= SET[value];
    } else if (UNSET[value] !== undefined) {
      flags &= ~UNSET[value];
    } else if (value >= 30 && value <= 37) {
      fg = value - 30;
    } else if (value >= 40 && value <= 47) {
      bg = value - 40;
    } else if (value >= 90 && value <= 97) {
      fg = value - 90 + 8;
    } else if (value >= 100 && value <= 107) {
      bg = value - 100 + 8;
    } else if (value === 39) {
      fg = DEFAULT_COLOUR;
    } else if (value === 49) {
      bg = DEFAULT_COLOUR;
    } else if (value === 38 || value === 48 || value === 58) {
      // 58, the underline's own colour, is read for its parameters' sake and not shown
      const { colour, used } = subs ? colonColour(subs) : semicolonColour(params, i);
      if (colour !== null && value === 38) fg = colour;
      if (colour !== null && value === 48) bg = colour;
      i += used;
    }
  }
  pen.set(fg, bg, flags);
}

interface Extended {
  readonly colour: number | null;
  /** Parameters used beside the 38 or 48. */
  readonly used: number;
}

function rgb(r: number, g: number, b: number): number {
  return RGB | ((r & 0xff) << 16) | ((g & 0xff) << 8) | (b & 0xff);
}

/** `38;5;n` and `38;2;r;g;b`; what is missing counts as 0. */
function semicolonColour(params: readonly Param[], at: number): Extended {
  const value = (offset: number): number => params[at + offset]?.value ?? 0;
  const left = params.length - at - 1;
  if (value(1) === 5) return { colour: value(2) & 0xff, used: Math.min(left, 2) };
  if (value(1) === 2) return { colour: rgb(value(2), value(3), value(4)), used: Math.min(left, 4) };
  return { colour: null, used: Math.min(left, 1) };
}

/** `38:5:n`, `38:2:space:r:g:b`, and `38:2:r:g:b`, which many programs write. */
function colonColour(subs: readonly number[]): Extended {
  const [mode, ...rest] = subs;
  if (mode === 5) return { colour: (rest[0] ?? 0) & 0xff, used: 0 };
  if (mode !== 2) return { colour: null, used: 0 };
  const [r = 0, g = 0, b = 0] = rest.length > 3 ? rest.slice(1) : rest;
  return { colour: rgb(r, g, b), used: 0 };
}
