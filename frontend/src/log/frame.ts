import { ROW_PX } from "./geometry";

/** The elements around the rows: what scrolls, and the area that gives the scrollbar its length. */
export class LogFrame {
  readonly scroller = document.createElement("div");
  readonly area = document.createElement("div");
  readonly #probe = document.createElement("span");

  constructor(rows: HTMLElement) {
    this.scroller.className = "log-scroller";
    this.scroller.tabIndex = 0;
    this.scroller.setAttribute("role", "log");
    this.scroller.setAttribute("aria-label", "Output");
    // A virtual window recycles rows: announcing them would read old lines again and again.
    this.scroller.setAttribute("aria-live", "off");
    this.scroller.style.setProperty("--row", `${ROW_PX}px`);
    this.area.className = "log-area";
    this.#probe.className = "log-probe";
    this.#probe.textContent = "0".repeat(100);
    this.area.append(rows, this.#probe);
    this.scroller.append(this.area);
  }

  /** Makes room for line numbers up to `last` and for rows of `widest` characters. */
  setSizes(last: number, widest: number): void {
    this.scroller.style.setProperty("--digits", String(String(last).length));
    this.scroller.style.setProperty("--widest", String(widest));
  }

  /** Characters that fit into `px`; null while the frame is not laid out. Forces layout. */
  columnsIn(px: number): number | null {
    const charPx = this.#probe.offsetWidth / 100;
    return px > 0 && charPx > 0 ? Math.max(1, Math.floor(px / charPx)) : null;
  }
}
