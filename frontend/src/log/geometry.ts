/**
 * The arithmetic between the scrollbar and the lines. A place is the truth of where the reader is;
 * the scrollbar only shows it and moves it. So lines of any height (wrapped ones) need no measuring.
 */

/** Height of an unwrapped row, in px; log.css uses the same through --row. */
export const ROW_PX = 18;
/** Firefox lays out no more than about 17.9M px (measured, see facts), Chromium 33.5M. */
export const MAX_AREA_PX = 15_000_000;

/** The line at the upper edge of the view, and how many px of it are hidden above that edge. */
export interface Place {
  readonly line: number;
  readonly hiddenPx: number;
}

/** The lines that there are, and the size of what shows them. */
export interface Extent {
  readonly firstLine: number;
  readonly endLine: number;
  readonly viewPx: number;
  /** Lines may be higher than ROW_PX. */
  readonly wrapped: boolean;
}

/** Height of the scrolled area in px. */
export function areaHeight(extent: Extent): number {
  const lines = extent.endLine - extent.firstLine;
  return Math.max(extent.viewPx, Math.min(MAX_AREA_PX, lines * ROW_PX));
}

export function maxScroll(extent: Extent): number {
  return areaHeight(extent) - extent.viewPx;
}

/** Whether one px of the scrollbar's area is one px of text. */
function isExact(extent: Extent): boolean {
  return !extent.wrapped && (extent.endLine - extent.firstLine) * ROW_PX <= MAX_AREA_PX;
}

/** Where the scrollbar stands for a place; `linePx` is the height of that place's line. */
export function scrollTopOf(place: Place, extent: Extent, linePx = ROW_PX): number {
  const limit = maxScroll(extent);
  const index = place.line - extent.firstLine;
  if (isExact(extent)) return clamp(index * ROW_PX + place.hiddenPx, 0, limit);
  const lines = Math.max(1, extent.endLine - extent.firstLine);
  return clamp(((index + place.hiddenPx / linePx) / lines) * limit, 0, limit);
}

/** The place that the scrollbar points at after a jump. */
export function placeAt(scrollTop: number, extent: Extent): Place {
  const lines = extent.endLine - extent.firstLine;
  if (lines <= 0) return { line: extent.firstLine, hiddenPx: 0 };
  if (isExact(extent)) {
    const index = clamp(Math.floor(scrollTop / ROW_PX), 0, lines - 1);
    return { line: extent.firstLine + index, hiddenPx: clamp(scrollTop - index * ROW_PX, 0, ROW_PX) };
  }
  const limit = maxScroll(extent);
  const position = limit > 0 ? (scrollTop / limit) * lines : 0;
  const index = clamp(Math.floor(position), 0, lines - 1);
  return { line: extent.firstLine + index, hiddenPx: clamp(position - index, 0, 1) * ROW_PX };
}

/** Moves a place by `px` over lines whose heights `heightOf` tells; stays within the lines. */
export function movePlace(
  place: Place,
  px: number,
  extent: Extent,
  heightOf: (line: number) => number,
): Place {
  let line = clamp(place.line, extent.firstLine, Math.max(extent.firstLine, extent.endLine - 1));
  let hidden = (line === place.line ? place.hiddenPx : 0) + px;
  while (hidden < 0 && line > extent.firstLine) {
    line -= 1;
    hidden += heightOf(line);
  }
  for (let height = heightOf(line); hidden >= height && line < extent.endLine - 1; ) {
    hidden -= height;
    line += 1;
    height = heightOf(line);
  }
  return { line, hiddenPx: Math.max(0, hidden) };
}

/** The last place there is: the bottom of the last line at the lower edge of the view. */
export function endPlace(extent: Extent, heightOf: (line: number) => number): Place {
  let line = extent.endLine;
  let room = extent.viewPx;
  while (room > 0 && line > extent.firstLine) {
    line -= 1;
    room -= heightOf(line);
  }
  return { line, hiddenPx: Math.max(0, -room) };
}

export function isBefore(place: Place, other: Place): boolean {
  return place.line < other.line || (place.line === other.line && place.hiddenPx < other.hiddenPx);
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
