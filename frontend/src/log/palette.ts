import type { Style } from "../terminal/types";

/** Colours at or above this are 24-bit: the rest is 0xRRGGBB. Below are indexes of the 256-palette. */
const RGB_FLAG = 0x1000000;
/** The first colours belong to the theme and have classes; log.css names them. */
const THEME_COLOURS = 16;

interface Look {
  readonly className: string;
  readonly colour: string | null;
  readonly background: string | null;
}

/**
 * Turns styles of the terminal into elements: classes where the theme decides, and the CSSOM for
 * exact colours (which a strict content security policy allows, unlike style attributes).
 */
export class Palette {
  readonly #looks = new Map<number, Look>();

  constructor(private readonly styleOf: (id: number) => Style) {}

  element(styleId: number, text: string): HTMLSpanElement {
    const look = this.#look(styleId);
    const element = document.createElement("span");
    element.className = look.className;
    if (look.colour !== null) element.style.color = look.colour;
    if (look.background !== null) element.style.backgroundColor = look.background;
    element.textContent = text;
    return element;
  }

  #look(styleId: number): Look {
    let look = this.#looks.get(styleId);
    if (!look) {
      look = lookOf(this.styleOf(styleId));
      this.#looks.set(styleId, look);
    }
    return look;
  }
}

export function lookOf(style: Style): Look {
  const classes: string[] = [];
  if (style.bold) classes.push("s-bold");
  if (style.dim) classes.push("s-dim");
  if (style.italic) classes.push("s-italic");
  if (style.underline) classes.push("s-underline");
  if (style.strike) classes.push("s-strike");
  if (style.hidden) classes.push("s-hidden");
  const front = style.inverse ? style.bg : style.fg;
  const back = style.inverse ? style.fg : style.bg;
  if (style.inverse && front === null) classes.push("fg-inverse");
  if (style.inverse && back === null) classes.push("bg-inverse");
  if (back !== null) classes.push("has-bg");
  if (front !== null && front < THEME_COLOURS) classes.push(`fg-${front}`);
  if (back !== null && back < THEME_COLOURS) classes.push(`bg-${back}`);
  // A background of its own needs a text colour that does not follow the theme.
  if (back !== null && front === null && !style.inverse) {
    classes.push(isLight(back) ? "on-light" : "on-dark");
  }
  return {
    className: classes.join(" "),
    colour: front !== null && front >= THEME_COLOURS ? cssColour(front) : null,
    background: back !== null && back >= THEME_COLOURS ? cssColour(back) : null,
  };
}

/** `#rrggbb` of a colour that is not one of the theme's sixteen. */
export function cssColour(colour: number): string {
  return `#${rgbOf(colour).toString(16).padStart(6, "0")}`;
}

function rgbOf(colour: number): number {
  if (colour >= RGB_FLAG) return colour & 0xffffff;
  if (colour >= 232) {
    const grey = 8 + (colour - 232) * 10;
    return (grey << 16) | (grey << 8) | grey;
  }
  // xterm's 6×6×6 cube, whose steps are 0, 95, 135, 175, 215, 255.
  const index = colour - THEME_COLOURS;
  const level = (part: number) => (part === 0 ? 0 : 55 + part * 40);
  return (level(Math.floor(index / 36)) << 16) | (level(Math.floor(index / 6) % 6) << 8) | level(index % 6);
}

function isLight(colour: number): boolean {
  if (colour < THEME_COLOURS) return colour === 3 || colour === 7 || colour >= 9;
  const rgb = rgbOf(colour);
  return 0.299 * (rgb >> 16) + 0.587 * ((rgb >> 8) & 255) + 0.114 * (rgb & 255) > 140;
}
