import { Listeners, type Dispose } from "../connection/listeners";
import type { LogModel, SearchMatch } from "../terminal/types";
import { Follow, type FollowState } from "./follow";
import { LogFrame } from "./frame";
import {
  ROW_PX,
  clamp,
  endPlace,
  isBefore,
  isJump,
  maxScroll,
  movePlace,
  placeAt,
  scrollTopOf,
  type Extent,
  type Place,
} from "./geometry";
import { MatchMarks } from "./highlight";
import { listenForIntents } from "./intents";
import { Rows } from "./rows";
import { Scrollbar } from "./scrollbar";
import { LogSelection } from "./selection";

/** Rows mounted beyond each edge of the view, so that quick scrolling finds text. */
const OVERSCAN_ROWS = 12;

/**
 * The window on a log: only what is visible is in the DOM. Where the reader is, is a place (line and
 * px); the scrollbar shows it. Draws at most once a frame; nothing is drawn in a hidden tab.
 */
export class LogWindow {
  readonly element: HTMLElement;
  readonly onFollow = new Listeners<FollowState>();

  readonly #frame: LogFrame;
  readonly #rows: Rows;
  readonly #selection: LogSelection;
  readonly #marks: MatchMarks;
  readonly #scrollbar: Scrollbar;
  readonly #follow = new Follow();
  readonly #disposals: Dispose[] = [];

  #place: Place = { line: 0, hiddenPx: 0 };
  #wrapped = false;
  #viewPx = 0;
  #columns = 80;
  #request = 0;
  #firstMounted = 0;
  #told: FollowState = { following: true, newLines: 0 };

  constructor(private readonly model: LogModel) {
    this.#rows = new Rows(model);
    this.#frame = new LogFrame(this.#rows.element);
    this.element = this.#frame.scroller;
    this.#selection = new LogSelection(model, this.#rows, () => this.changed());
    this.#marks = new MatchMarks(this.#rows);
    this.#scrollbar = new Scrollbar(this.element, this.#frame.area, () => this.#showPlace());
    this.#listen();
  }

  /** The model has changed: draw in the next frame. */
  changed(): void {
    if (this.#request !== 0) return;
    this.#request = requestAnimationFrame(() => {
      this.#request = 0;
      this.#draw();
    });
  }

  /** The model was cleared. */
  reset(): void {
    this.#selection.clear();
    this.#rows.clear();
    this.#place = { line: this.model.firstLine, hiddenPx: 0 };
    this.follow(true);
  }

  setWrapped(wrapped: boolean): void {
    this.#wrapped = wrapped;
    this.#toggleLook("is-wrapped", wrapped);
  }

  setTimes(shown: boolean): void {
    this.#toggleLook("has-times", shown);
  }

  follow(following: boolean): void {
    if (following) this.#follow.join();
    else this.#follow.leave(this.model.endLine);
    this.changed();
  }

  get isFollowing(): boolean {
    return this.#follow.following;
  }

  /** The line at the upper edge of the view. */
  get topLine(): number {
    return this.#place.line;
  }

  /** Marks search matches; `current` is the one that the reader is at. */
  mark(matches: readonly SearchMatch[], current: SearchMatch | null): void {
    this.#marks.set(matches, current);
    this.changed();
  }

  /** Brings a match into the middle of the view unless it is visible. */
  reveal(match: SearchMatch): void {
    this.follow(false);
    if (this.#rows.isCutBefore(match.line, match.end)) this.#rows.expand(match.line, match.end);
    const visible = this.#viewPx / ROW_PX;
    const inside = match.line > this.#place.line && match.line < this.#place.line + visible - 2;
    if (!inside || this.#wrapped) {
      const extent = this.#extent();
      const target = { line: match.line, hiddenPx: 0 };
      this.#place = movePlace(target, -this.#viewPx / 3, extent, this.#heightOf);
      this.#showPlace();
    }
    this.#draw();
    this.#marks.currentElement()?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  selectedText(): string {
    return this.#selection.text();
  }

  focus(): void {
    this.element.focus({ preventScroll: true });
  }

  dispose(): void {
    cancelAnimationFrame(this.#request);
    this.#scrollbar.dispose();
    for (const dispose of this.#disposals) dispose();
    this.#selection.dispose();
    this.#marks.dispose();
    this.element.remove();
  }

  #toggleLook(className: string, on: boolean): void {
    this.element.classList.toggle(className, on);
    this.#rows.forgetHeights();
    this.changed();
  }

  readonly #heightOf = (line: number): number =>
    this.#wrapped ? this.#rows.heightOf(line, this.#columns) : ROW_PX;

  #extent(): Extent {
    return {
      firstLine: this.model.firstLine,
      endLine: this.model.endLine,
      viewPx: this.#viewPx,
      wrapped: this.#wrapped,
    };
  }

  #listen(): void {
    this.#disposals.push(
      listenForIntents(this.element, {
        leaveEnd: () => {
          if (this.#follow.following && maxScroll(this.#extent()) > 0) this.follow(false);
        },
        move: (px) => this.#move(px),
        toStart: () => {
          this.follow(false);
          this.#place = { line: this.model.firstLine, hiddenPx: 0 };
          this.#showPlace();
        },
        toEnd: () => this.follow(true),
        hold: (down) => this.#hold(down),
        selectAll: () => this.#selectAll(),
        scrolled: () => this.#scrolled(),
      }),
    );
    const resized = new ResizeObserver(() => this.#resized());
    resized.observe(this.element);
    this.#disposals.push(() => resized.disconnect());
    const stop = new AbortController();
    this.#disposals.push(() => stop.abort());
    this.element.addEventListener("copy", (event) => this.#copy(event), { signal: stop.signal });
    this.element.addEventListener("click", (event) => this.#clicked(event), { signal: stop.signal });
    document.addEventListener("visibilitychange", () => this.changed(), { signal: stop.signal });
  }

  #resized(): void {
    this.#viewPx = this.element.clientHeight;
    this.#rows.forgetHeights();
    this.#scrollbar.accept();
    this.#draw();
  }

  #scrolled(): void {
    const px = this.#scrollbar.takeMove();
    if (px === 0) return;
    const extent = this.#extent();
    const jumped = isJump(px, extent);
    if (px < 0) this.follow(false);
    this.#place = jumped
      ? placeAt(this.#scrollbar.top, extent)
      : movePlace(this.#place, px, extent, this.#heightOf);
    const isEdge = this.#scrollbar.isAtEdge(extent);
    const atEnd = !isBefore(this.#place, endPlace(extent, this.#heightOf)) || (jumped && isEdge);
    if (px > 0 && atEnd && !this.#follow.isHeld) this.follow(true);
    // At an edge the scrollbar has no way left although lines may be: give it way at once.
    if (isEdge) this.#showPlace();
    this.changed();
  }

  #move(px: number): void {
    const extent = this.#extent();
    if (px < 0) this.follow(false);
    else if (this.#follow.following) return;
    this.#place = movePlace(this.#place, px, extent, this.#heightOf);
    if (px > 0 && !isBefore(this.#place, endPlace(extent, this.#heightOf))) this.follow(true);
    this.#showPlace();
    this.changed();
  }

  #hold(down: boolean): void {
    if (this.#follow.isHeld === down) return;
    this.#follow.hold(down);
    // While text is being selected the lines stand still; what is selected stays in view.
    if (!down && this.#follow.following && !this.#selection.isEmpty) this.follow(false);
    this.changed();
  }

  #selectAll(): void {
    const pinned = this.#selection.selectAll();
    if (pinned.size === 0) return;
    this.follow(false);
    this.#draw();
    this.#selection.restore(pinned);
  }

  #copy(event: ClipboardEvent): void {
    const text = this.#selection.text();
    if (text === "" || !event.clipboardData) return;
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
  }

  #clicked(event: MouseEvent): void {
    const more = event.target instanceof Element ? event.target.closest(".row-more") : null;
    const row = more?.closest<HTMLElement>(".row");
    if (!row) return;
    this.#rows.expand(Number(row.dataset["line"]));
    this.follow(false);
  }

  /** Sets the scrollbar to the place. */
  #showPlace(): void {
    const extent = this.#extent();
    this.#scrollbar.fit(extent);
    const linePx = extent.endLine > extent.firstLine ? this.#heightOf(this.#clampedLine(extent)) : ROW_PX;
    this.#scrollbar.moveTo(scrollTopOf(this.#place, extent, linePx));
    this.changed();
  }

  #clampedLine(extent: Extent): number {
    return clamp(this.#place.line, extent.firstLine, extent.endLine - 1);
  }

  #draw(): void {
    if (this.#viewPx === 0) return;
    const extent = this.#extent();
    this.#scrollbar.fit(extent);
    const stuck = this.#follow.isStuck;
    this.#settlePlace(extent, stuck);
    this.#mount(extent);
    if (this.#wrapped) {
      // Heights were guesses for what was not mounted yet: look, and correct once.
      this.#rows.measure();
      this.#measureColumns();
      this.#settlePlace(extent, stuck);
      this.#mount(extent);
      this.#rows.measure();
      this.#settlePlace(extent, stuck);
    }
    if (stuck) this.#scrollbar.moveTo(maxScroll(extent));
    this.#frame.setSizes(extent.endLine, this.#rows.widest);
    this.#position();
    this.#marks.draw();
    this.#tell();
  }

  #settlePlace(extent: Extent, stuck: boolean): void {
    const end = endPlace(extent, this.#heightOf);
    if (stuck || isBefore(end, this.#place)) this.#place = end;
    if (this.#place.line < extent.firstLine) this.#place = { line: extent.firstLine, hiddenPx: 0 };
  }

  #mount(extent: Extent): void {
    const from = Math.max(extent.firstLine, this.#place.line - OVERSCAN_ROWS);
    const visible = Math.ceil(extent.viewPx / ROW_PX) + 1;
    const to = Math.min(extent.endLine, this.#place.line + visible + OVERSCAN_ROWS);
    const redrawn = this.#rows.mount(from, Math.max(from, to), this.#selection.pinned());
    this.#selection.restore(redrawn);
    this.#firstMounted = from;
  }

  #position(): void {
    let above = this.#place.hiddenPx;
    for (let line = this.#firstMounted; line < this.#place.line; line += 1) above += this.#heightOf(line);
    this.#rows.element.style.transform = `translateY(${this.#scrollbar.top - above}px)`;
  }

  #measureColumns(): void {
    const textPx = this.#rows.get(this.#place.line)?.textWidth ?? 0;
    this.#columns = this.#frame.columnsIn(textPx) ?? this.#columns;
  }

  #tell(): void {
    const { following, newLines } = this.#follow.state(this.model.endLine);
    if (newLines === this.#told.newLines && following === this.#told.following) return;
    this.#told = { following, newLines };
    this.onFollow.emit(this.#told);
  }
}
