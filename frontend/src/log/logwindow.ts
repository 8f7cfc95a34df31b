import { Listeners, type Dispose } from "../connection/listeners";
import type { LogModel, SearchMatch } from "../terminal/types";
import {
  ROW_PX,
  areaHeight,
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
import { LogSelection } from "./selection";

/** Rows mounted beyond each edge of the view, so that quick scrolling finds text. */
const OVERSCAN_ROWS = 12;
/** After this much quiet the scrollbar is set to where the reader really is. */
const SETTLE_MS = 200;

export interface FollowState {
  readonly following: boolean;
  /** Lines that came since the reader left the end. */
  readonly newLines: number;
}

/**
 * The window on a log: only what is visible is in the DOM. Where the reader is, is a place (line and
 * px); the scrollbar shows it. Draws at most once a frame; nothing is drawn in a hidden tab.
 */
export class LogWindow {
  readonly element = document.createElement("div");
  readonly onFollow = new Listeners<FollowState>();

  readonly #area = document.createElement("div");
  readonly #probe = document.createElement("span");
  readonly #rows: Rows;
  readonly #selection: LogSelection;
  readonly #marks: MatchMarks;
  readonly #disposals: Dispose[] = [];

  #place: Place = { line: 0, hiddenPx: 0 };
  #following = true;
  #held = false;
  #leftAtLine = 0;
  #wrapped = false;
  /** The scrollbar's position as we know it; a scroll event that tells another is the reader's. */
  #expectedTop = 0;
  #viewPx = 0;
  #columns = 80;
  #frame = 0;
  #settle: ReturnType<typeof setTimeout> | undefined;
  #told: FollowState = { following: true, newLines: 0 };

  constructor(private readonly model: LogModel) {
    this.element.className = "log-scroller";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "log");
    this.element.setAttribute("aria-label", "Output");
    // A virtual window recycles rows: announcing them would read old lines again and again.
    this.element.setAttribute("aria-live", "off");
    this.#area.className = "log-area";
    this.#probe.className = "log-probe";
    this.#probe.textContent = "0".repeat(100);
    this.#rows = new Rows(model);
    this.#area.append(this.#rows.element, this.#probe);
    this.element.append(this.#area);
    this.element.style.setProperty("--row", `${ROW_PX}px`);
    this.#selection = new LogSelection(model, this.#rows, () => this.changed());
    this.#marks = new MatchMarks(this.#rows);
    this.#listen();
  }

  /** The model has changed: draw in the next frame. */
  changed(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
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
    this.element.classList.toggle("is-wrapped", wrapped);
    this.#rows.forgetHeights();
    this.changed();
  }

  setTimes(shown: boolean): void {
    this.element.classList.toggle("has-times", shown);
    this.#rows.forgetHeights();
    this.changed();
  }

  follow(following: boolean): void {
    if (!following && this.#following) this.#leftAtLine = this.model.endLine;
    this.#following = following;
    this.changed();
  }

  get isFollowing(): boolean {
    return this.#following;
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
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#settle);
    for (const dispose of this.#disposals) dispose();
    this.#selection.dispose();
    this.#marks.dispose();
    this.element.remove();
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
          if (this.#following && maxScroll(this.#extent()) > 0) this.follow(false);
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
    // The browser may have moved the scrollbar to fit the new size: that was not the reader.
    this.#expectedTop = this.element.scrollTop;
    this.#draw();
  }

  #scrolled(): void {
    const top = this.element.scrollTop;
    const px = top - this.#expectedTop;
    if (Math.abs(px) < 1) return;
    this.#expectedTop = top;
    const extent = this.#extent();
    const limit = maxScroll(extent);
    const jumped = isJump(px, extent);
    if (px < 0) this.follow(false);
    this.#place = jumped ? placeAt(top, extent) : movePlace(this.#place, px, extent, this.#heightOf);
    const atEnd = !isBefore(this.#place, endPlace(extent, this.#heightOf));
    if (px > 0 && !this.#held && (atEnd || (jumped && top >= limit - 1))) this.follow(true);
    // At an edge the scrollbar has no way left although lines may be: give it way at once.
    if (top <= 0 || top >= limit - 1) this.#showPlace();
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => this.#showPlace(), SETTLE_MS);
    this.changed();
  }

  #move(px: number): void {
    const extent = this.#extent();
    if (px < 0) this.follow(false);
    else if (this.#following) return;
    this.#place = movePlace(this.#place, px, extent, this.#heightOf);
    if (px > 0 && !isBefore(this.#place, endPlace(extent, this.#heightOf))) this.follow(true);
    this.#showPlace();
    this.changed();
  }

  #hold(down: boolean): void {
    if (this.#held === down) return;
    this.#held = down;
    // While text is being selected the lines stand still; what is selected stays in view.
    if (!down && this.#following && !this.#selection.isEmpty) this.follow(false);
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
    this.#area.style.height = `${areaHeight(extent)}px`;
    const linePx = extent.endLine > extent.firstLine ? this.#heightOf(this.#clampedLine(extent)) : ROW_PX;
    this.#scrollTo(scrollTopOf(this.#place, extent, linePx));
  }

  #clampedLine(extent: Extent): number {
    return clamp(this.#place.line, extent.firstLine, extent.endLine - 1);
  }

  #scrollTo(top: number): void {
    if (Math.abs(top - this.#expectedTop) < 1) return;
    this.element.scrollTop = top;
    this.#expectedTop = top;
  }

  #draw(): void {
    if (this.#viewPx === 0) return;
    const extent = this.#extent();
    this.#area.style.height = `${areaHeight(extent)}px`;
    const stuck = this.#following && !this.#held;
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
    if (stuck) this.#scrollTo(maxScroll(extent));
    this.#setSizes(extent);
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
  #firstMounted = 0;

  #position(): void {
    let above = this.#place.hiddenPx;
    for (let line = this.#firstMounted; line < this.#place.line; line += 1) above += this.#heightOf(line);
    this.#rows.element.style.transform = `translateY(${this.#expectedTop - above}px)`;
  }

  #setSizes(extent: Extent): void {
    this.element.style.setProperty("--digits", `${String(extent.endLine).length}`);
    this.element.style.setProperty("--widest", `${this.#rows.widest}`);
  }

  #measureColumns(): void {
    const width = this.#rows.get(this.#place.line)?.textWidth ?? 0;
    const charPx = this.#probe.offsetWidth / 100;
    if (width > 0 && charPx > 0) this.#columns = Math.max(1, Math.floor(width / charPx));
  }

  #tell(): void {
    const newLines = this.#following ? 0 : Math.max(0, this.model.endLine - this.#leftAtLine);
    if (newLines === this.#told.newLines && this.#following === this.#told.following) return;
    this.#told = { following: this.#following, newLines };
    this.onFollow.emit(this.#told);
  }
}
