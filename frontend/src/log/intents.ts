import type { Dispose } from "../connection/listeners";
import { ROW_PX } from "./geometry";

/** What the reader wants, as far as it can be told from wheel, finger, mouse and keys. */
export interface IntentHandlers {
  /** The reader turns towards earlier lines: following must stop at once, even in a flood. */
  leaveEnd(): void;
  /** A wheel turns or a finger moves: the scroll that follows is meant in px of text. */
  byPx(): void;
  /** Move by px (from keys). */
  move(px: number): void;
  toStart(): void;
  toEnd(): void;
  /** A mouse button or finger went down in the text (true) or up again (false). */
  hold(down: boolean): void;
  selectAll(): void;
  /** The browser moved the scrollbar. */
  scrolled(): void;
}

/** A finger must move this far before it counts as a turn. */
const TOUCH_SLACK_PX = 4;

/** Listens on the scrolling element; gives the function that stops it. */
export function listenForIntents(scroller: HTMLElement, handlers: IntentHandlers): Dispose {
  const stop = new AbortController();
  const passive = { passive: true, signal: stop.signal };

  scroller.addEventListener("scroll", () => handlers.scrolled(), passive);
  scroller.addEventListener(
    "wheel",
    (event) => {
      handlers.byPx();
      if (event.deltaY < 0 && !event.ctrlKey) handlers.leaveEnd();
    },
    passive,
  );
  scroller.addEventListener("touchstart", (event) => followFinger(event, handlers, stop.signal), passive);
  scroller.addEventListener(
    "pointerdown",
    (event) => {
      if (event.pointerType === "touch" || event.button !== 0) return;
      // On the scrollbar, not in the text.
      if (event.target === scroller && event.offsetX >= scroller.clientWidth) return;
      handlers.hold(true);
    },
    passive,
  );
  for (const end of ["pointerup", "pointercancel", "blur"] as const) {
    window.addEventListener(end, () => handlers.hold(false), { signal: stop.signal });
  }
  scroller.addEventListener("keydown", (event) => onKey(event, scroller, handlers), {
    signal: stop.signal,
  });
  return () => stop.abort();
}

/** The row under the finger may leave the DOM while it moves; its events then reach only itself. */
function followFinger(start: TouchEvent, handlers: IntentHandlers, signal: AbortSignal): void {
  const target = start.target;
  if (!target || start.touches.length !== 1) return;
  const touchY = start.touches[0]?.clientY ?? 0;
  const lifted = new AbortController();
  const options = { passive: true, signal: AbortSignal.any([signal, lifted.signal]) };
  const move = (event: Event) => {
    const y = event instanceof TouchEvent ? (event.touches[0]?.clientY ?? touchY) : touchY;
    handlers.byPx();
    if (y - touchY > TOUCH_SLACK_PX) handlers.leaveEnd();
  };
  const lift = () => {
    lifted.abort();
    handlers.hold(false);
  };
  handlers.hold(true);
  target.addEventListener("touchmove", move, options);
  target.addEventListener("touchend", lift, options);
  target.addEventListener("touchcancel", lift, options);
}

function onKey(event: KeyboardEvent, scroller: HTMLElement, handlers: IntentHandlers): void {
  if (event.target !== scroller) return;
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key.toLowerCase() === "a") {
    event.preventDefault();
    handlers.selectAll();
    return;
  }
  if (event.altKey || (command && event.key !== "Home" && event.key !== "End")) return;
  const page = Math.max(ROW_PX, scroller.clientHeight - 2 * ROW_PX);
  const moves: Readonly<Record<string, () => void>> = {
    ArrowUp: () => handlers.move(-ROW_PX),
    ArrowDown: () => handlers.move(ROW_PX),
    PageUp: () => handlers.move(-page),
    PageDown: () => handlers.move(page),
    " ": () => handlers.move(event.shiftKey ? -page : page),
    Home: () => handlers.toStart(),
    End: () => handlers.toEnd(),
  };
  const move = moves[event.key];
  // Shift with an arrow extends a selection: the browser's business.
  if (!move || (event.shiftKey && event.key !== " ")) return;
  event.preventDefault();
  move();
}
