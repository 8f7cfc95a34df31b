/** Styled parts of a text, kept as a flat list of triples start, end, style: a tenth of the memory of objects. */
import type { Span } from "./types";

/** Adds a styled part to triples start, end, style; a part that goes on from the last one in its style extends it. */
export function addSpan(spans: number[], start: number, end: number, style: number): void {
  if (style === 0 || start === end) return;
  const last = spans.length - 3;
  if (last >= 0 && spans[last + 1] === start && spans[last + 2] === style) spans[last + 1] = end;
  else spans.push(start, end, style);
}

/** Spans of a line from triples start, end, style in [from, to). */
export function spanObjects(triples: ArrayLike<number>, from: number, to: number): Span[] {
  const spans: Span[] = [];
  for (let i = from; i < to; i += 3) {
    spans.push({ start: triples[i] as number, end: triples[i + 1] as number, style: triples[i + 2] as number });
  }
  return spans;
}
