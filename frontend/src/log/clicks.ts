import type { Dispose } from "../connection/listeners";
import type { Way } from "./loader";

/** What a click into the log may mean; rows are named by their numbers in the log. */
export interface ClickHandlers {
  /** Show more of a line that was cut. */
  expand(row: number): void;
  /** Load a piece of the output that a row stands for. */
  load(row: number, way: Way): void;
  /** The number of a row was clicked; with `extends_`, to make a range of lines. */
  choose(row: number, extends_: boolean): void;
}

/** Listens on the scrolling element; gives the function that stops it. */
export function listenForClicks(scroller: HTMLElement, handlers: ClickHandlers): Dispose {
  const stop = new AbortController();
  scroller.addEventListener("click", (event) => onClick(event, handlers), { signal: stop.signal });
  // Shift and a click would select all the text in between.
  const keep = (event: MouseEvent) => {
    if (event.shiftKey && elementOf(event)?.closest(".row-number")) event.preventDefault();
  };
  scroller.addEventListener("mousedown", keep, { signal: stop.signal });
  return () => stop.abort();
}

function onClick(event: MouseEvent, handlers: ClickHandlers): void {
  const element = elementOf(event);
  const row = Number(element?.closest<HTMLElement>(".row")?.dataset["line"] ?? Number.NaN);
  if (!element || Number.isNaN(row)) return;
  const way = element.closest<HTMLElement>(".row-load")?.dataset["way"];
  if (way === "next" || way === "previous" || way === "all") handlers.load(row, way);
  else if (element.closest(".row-more")) handlers.expand(row);
  else if (element.closest(".row-number")) handlers.choose(row, event.shiftKey);
}

function elementOf(event: Event): Element | null {
  return event.target instanceof Element ? event.target : null;
}
