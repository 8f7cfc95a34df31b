import { Listeners, type Dispose } from "../connection/listeners";
import type { LogText, SearchMatch } from "../terminal/types";
import { listenForClicks } from "./clicks";
import { Drawing } from "./drawing";
import { Follow, type FollowState } from "./follow";
import { LogFrame } from "./frame";
import { ROW_PX, maxScroll } from "./geometry";
import { MatchMarks } from "./highlight";
import { listenForIntents } from "./intents";
import type { Way } from "./loader";
import { Rows, type LineRange } from "./rows";
import { Scrollbar } from "./scrollbar";
import { LogSelection } from "./selection";
import type { Splice } from "./splice";
import { Viewpoint } from "./viewpoint";

/**
 * The window on a log: only what is visible is in the DOM. Where the reader is, is a place (line and
 * px); the scrollbar shows it. Draws at most once a frame; nothing is drawn in a hidden tab.
 */
export class LogWindow {
  readonly element: HTMLElement;
  readonly onFollow = new Listeners<FollowState>();
  /** A piece of the output that this row stands for is wanted. */
  readonly onLoad = new Listeners<{ readonly row: number; readonly way: Way }>();
  /** The reader chose a line of output by its number, or with the one before a range. */
  readonly onChoose = new Listeners<{ readonly number: number; readonly extends_: boolean }>();

  readonly #frame: LogFrame;
  readonly #rows: Rows;
  readonly #view: Viewpoint;
  readonly #selection: LogSelection;
  readonly #marks: MatchMarks;
  readonly #scrollbar: Scrollbar;
  readonly #drawing: Drawing;
  readonly #follow = new Follow();
  readonly #disposals: Dispose[] = [];

  #request = 0;
  #told: FollowState = { following: true, newLines: 0 };

  constructor(private readonly model: LogText) {
    this.#rows = new Rows(model);
    this.#view = new Viewpoint(model, this.#rows);
    this.#frame = new LogFrame(this.#rows.element);
    this.element = this.#frame.scroller;
    this.#selection = new LogSelection(model, this.#rows, () => this.changed());
    this.#marks = new MatchMarks(this.#rows);
    this.#scrollbar = new Scrollbar(this.element, this.#frame.area, () => this.#showPlace());
    this.#drawing = new Drawing(model, this.#frame, this.#rows, this.#view, this.#selection, this.#scrollbar);
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

  /** Rows in the middle of the log changed. */
  splice(splice: Splice): void {
    const below = splice.at + splice.removed;
    const element = splice.keep === "below" ? this.#rows.get(below)?.element : undefined;
    const px = element && element.getBoundingClientRect().top - this.element.getBoundingClientRect().top;
    this.#view.splice(splice);
    this.#rows.splice(splice);
    this.#selection.splice(splice);
    this.#marks.splice(splice);
    this.#follow.splice(splice);
    if (px !== undefined && px > 0 && px < this.#view.viewPx) this.#view.toLine(below, px);
    this.changed();
  }

  /** A row that was there before looks different. */
  touch(): void {
    this.#rows.unsettle();
    this.changed();
  }

  /** The model was cleared. */
  reset(): void {
    this.#selection.clear();
    this.#rows.clear();
    this.#view.toStart();
    this.follow(true);
  }

  setWrapped(wrapped: boolean): void {
    this.#view.wrapped = wrapped;
    this.#toggleLook("is-wrapped", wrapped);
  }

  setTimes(shown: boolean): void {
    this.#toggleLook("has-times", shown);
  }

  setNumbers(shown: boolean): void {
    this.#toggleLook("has-numbers", shown);
  }

  /** Marks lines of output by their numbers; null marks none. */
  markLines(lines: LineRange | null): void {
    this.#rows.mark(lines);
  }

  /** Brings a row into view, unless it is there. */
  goTo(row: number): void {
    this.follow(false);
    this.#bringIn(row);
  }

  follow(following: boolean): void {
    if (following) this.#follow.join();
    else this.#follow.leave(this.model.endLine);
    this.changed();
  }

  /** What has come so far is not news to the reader. */
  forgetNews(): void {
    this.#follow.forgetNews(this.model.endLine);
  }

  get isFollowing(): boolean {
    return this.#follow.following;
  }

  /** The line at the upper edge of the view. */
  get topLine(): number {
    return this.#view.topLine;
  }

  /** Marks search matches; `current` is the one that the reader is at. */
  mark(matches: readonly SearchMatch[], current: SearchMatch | null): void {
    this.#marks.set(matches, current);
    this.changed();
  }

  /** Brings the match that is marked as current into view, unless it is there. */
  reveal(match: SearchMatch): void {
    this.follow(false);
    if (this.#rows.isCutBefore(match.line, match.end)) this.#rows.expand(match.line, match.end);
    this.#bringIn(match.line);
    this.#draw();
    this.#revealColumn();
  }

  #bringIn(row: number): void {
    const { topLine, viewPx, wrapped } = this.#view;
    const isInside = row > topLine && row < topLine + viewPx / ROW_PX - 2;
    if (isInside && !wrapped) return;
    this.#view.toLine(row, viewPx / 3);
    this.#showPlace();
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

  #listen(): void {
    this.#disposals.push(
      listenForIntents(this.element, {
        leaveEnd: () => {
          if (this.#follow.following && maxScroll(this.#view.extent) > 0) this.follow(false);
        },
        byPx: () => this.#scrollbar.movesByPx(),
        move: (px) => this.#move(px),
        toStart: () => {
          this.follow(false);
          this.#view.toStart();
          this.#showPlace();
        },
        toEnd: () => this.follow(true),
        hold: (down) => this.#hold(down),
        selectAll: () => this.#selectAll(),
        scrolled: () => this.#scrolled(),
      }),
      listenForClicks(this.element, {
        expand: (row) => {
          this.#rows.expand(row);
          this.follow(false);
        },
        load: (row, way) => {
          this.follow(false);
          // The button that has the focus goes away.
          this.focus();
          this.onLoad.emit({ row, way });
        },
        choose: (row, extends_) => this.#choose(row, extends_),
      }),
    );
    const resized = new ResizeObserver(() => this.#resized());
    resized.observe(this.element);
    const stop = new AbortController();
    this.#disposals.push(
      () => resized.disconnect(),
      () => stop.abort(),
    );
    this.element.addEventListener("copy", (event) => this.#copy(event), { signal: stop.signal });
  }

  #toggleLook(className: string, on: boolean): void {
    this.element.classList.toggle(className, on);
    this.#rows.forgetHeights();
    this.changed();
  }

  #resized(): void {
    this.#view.viewPx = this.element.clientHeight;
    this.#rows.forgetHeights();
    this.#scrollbar.accept();
    this.#draw();
  }

  #scrolled(): void {
    if (this.element.clientHeight !== this.#view.viewPx) {
      // The browser moved the scrollbar to fit a new size, before the observer heard of it.
      this.#resized();
      return;
    }
    const move = this.#scrollbar.takeMove();
    if (!move) return;
    // Selecting with the mouse beyond the edge scrolls by px as well.
    const isByPx = move.isByPx || this.#follow.isHeld;
    if (move.px < 0) this.follow(false);
    if (isByPx) this.#view.move(move.px);
    else this.#view.toScrollTop(this.#scrollbar.top);
    const isEdge = this.#scrollbar.isAtEdge(this.#view.extent);
    const isAtEnd = this.#view.isAtEnd || (!isByPx && isEdge);
    if (move.px > 0 && isAtEnd && !this.#follow.isHeld) this.follow(true);
    // At an edge the scrollbar has no way left although lines may be: give it way at once.
    if (isEdge) this.#showPlace();
    this.changed();
  }

  #move(px: number): void {
    if (px < 0) this.follow(false);
    else if (this.#follow.following) return;
    this.#view.move(px);
    if (px > 0 && this.#view.isAtEnd) this.follow(true);
    this.#showPlace();
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

  #choose(row: number, extends_: boolean): void {
    const number = this.#rows.get(row)?.number ?? null;
    if (number !== null) this.onChoose.emit({ number, extends_ });
  }

  /** A match far along its line: bring its column into view, across, or down a wrapped line. */
  #revealColumn(): void {
    const match = this.#marks.currentRect();
    if (!match) return;
    const view = this.element.getBoundingClientRect();
    const isAcross = match.left > view.left + view.width / 5 && match.right < view.right - ROW_PX;
    if (!isAcross) this.element.scrollLeft += match.left - view.left - view.width / 3;
    if (match.top >= view.top && match.bottom <= view.bottom) return;
    this.#view.move(match.top - view.top - view.height / 3);
    this.#showPlace();
  }

  /** Sets the scrollbar to the place, and the rows under it. */
  #showPlace(): void {
    this.#scrollbar.fit(this.#view.extent);
    this.#scrollbar.moveTo(this.#view.scrollTop);
    this.changed();
  }

  #draw(): void {
    if (this.#view.viewPx === 0) return;
    this.#drawing.draw(this.#follow.isStuck);
    this.#marks.draw();
    this.#tell();
  }

  #tell(): void {
    const { following, newLines } = this.#follow.state(this.model.endLine);
    if (newLines === this.#told.newLines && following === this.#told.following) return;
    this.#told = { following, newLines };
    this.onFollow.emit(this.#told);
  }
}
