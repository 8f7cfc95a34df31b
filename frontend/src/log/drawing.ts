import type { LogText } from "../terminal/types";
import type { LogFrame } from "./frame";
import { ROW_PX, maxScroll } from "./geometry";
import type { Rows } from "./rows";
import type { Scrollbar } from "./scrollbar";
import type { LogSelection } from "./selection";
import type { Viewpoint } from "./viewpoint";

/** Rows mounted beyond each edge of the view, so that quick scrolling finds text. */
const OVERSCAN_ROWS = 12;

/** Puts the rows that are visible into the DOM, where the scrollbar makes them stand under the view. */
export class Drawing {
  #firstMounted = 0;

  constructor(
    private readonly model: LogText,
    private readonly frame: LogFrame,
    private readonly rows: Rows,
    private readonly view: Viewpoint,
    private readonly selection: LogSelection,
    private readonly scrollbar: Scrollbar,
  ) {}

  /** @param stuck the view keeps to the end */
  draw(stuck: boolean): void {
    const extent = this.view.extent;
    this.scrollbar.fit(extent);
    this.view.settle(stuck);
    this.#mount();
    if (this.view.wrapped) {
      // Heights were guesses for what was not mounted yet: look, and correct once.
      this.#measure();
      this.view.settle(stuck);
      this.#mount();
      this.rows.measure();
      this.view.settle(stuck);
    }
    if (stuck) this.scrollbar.moveTo(maxScroll(extent));
    else if (this.scrollbar.isIdle) this.scrollbar.moveTo(this.view.scrollTop);
    const isEmpty = extent.endLine === extent.firstLine;
    this.frame.setSizes(isEmpty ? 1 : this.model.line(extent.endLine - 1).number, this.rows.widest);
    const above = this.view.pxBelow(this.#firstMounted);
    this.rows.element.style.transform = `translateY(${this.scrollbar.top - above}px)`;
  }

  #mount(): void {
    const { topLine, viewPx } = this.view;
    const from = Math.max(this.model.firstLine, topLine - OVERSCAN_ROWS);
    const to = Math.min(this.model.endLine, topLine + Math.ceil(viewPx / ROW_PX) + 1 + OVERSCAN_ROWS);
    const redrawn = this.rows.mount(from, Math.max(from, to), this.selection.pinned());
    this.selection.restore(redrawn);
    this.#firstMounted = from;
  }

  #measure(): void {
    this.rows.measure();
    const textPx = this.rows.get(this.view.topLine)?.textWidth ?? 0;
    this.view.columns = this.frame.columnsIn(textPx) ?? this.view.columns;
  }
}
