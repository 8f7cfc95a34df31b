import type { Dispose } from "../connection/listeners";
import type { LogText } from "../terminal/types";
import type { TextPoint } from "./row";
import type { Rows } from "./rows";
import { moved, type Splice } from "./splice";

export interface Held {
  readonly anchor: TextPoint;
  readonly focus: TextPoint;
}

/**
 * The browser's selection in terms of lines and columns: it survives that rows are redrawn, and may
 * span more lines than are in the DOM, because the rows where it begins and ends stay mounted.
 */
export class LogSelection {
  #held: Held | null = null;
  #isRestoring = false;
  readonly #disposals: Dispose[] = [];

  constructor(
    private readonly model: LogText,
    private readonly rows: Rows,
    private readonly changed: () => void,
  ) {
    const onChange = () => this.#read();
    document.addEventListener("selectionchange", onChange);
    this.#disposals.push(() => document.removeEventListener("selectionchange", onChange));
  }

  get isEmpty(): boolean {
    return this.#held === null;
  }

  /** The lines that must stay in the DOM. */
  pinned(): ReadonlySet<number> {
    return this.#held ? new Set([this.#held.anchor.line, this.#held.focus.line]) : new Set();
  }

  /** To be called after rows were redrawn: sets the browser's selection back where it was. */
  restore(redrawn: ReadonlySet<number>): void {
    const held = this.#held;
    if (!held) return;
    if (!redrawn.has(held.anchor.line) && !redrawn.has(held.focus.line)) return;
    const anchor = this.rows.get(held.anchor.line)?.positionOf(held.anchor.column);
    const focus = this.rows.get(held.focus.line)?.positionOf(held.focus.column);
    if (!anchor || !focus) return;
    this.#isRestoring = true;
    document.getSelection()?.setBaseAndExtent(anchor.node, anchor.offset, focus.node, focus.offset);
    this.#isRestoring = false;
  }

  /** Selects every line; the caller renders before `restore`. */
  selectAll(): ReadonlySet<number> {
    const { firstLine, endLine } = this.model;
    if (endLine === firstLine) return new Set();
    const last = endLine - 1;
    this.#held = {
      anchor: { line: firstLine, column: 0 },
      focus: { line: last, column: this.model.line(last).text.length },
    };
    return this.pinned();
  }

  /** The selected text, from the model: also of lines that are not in the DOM. */
  text(): string {
    if (!this.#held) return "";
    const { anchor, focus } = this.#held;
    const forward = anchor.line < focus.line || (anchor.line === focus.line && anchor.column <= focus.column);
    const [first, last] = forward ? [anchor, focus] : [focus, anchor];
    return selectedText(this.model, first, last);
  }

  /** Rows have other numbers now. */
  splice(splice: Splice): void {
    if (!this.#held) return;
    const held = heldThrough(this.#held, splice);
    if (held === null) this.clear();
    else this.#held = held;
  }

  clear(): void {
    if (!this.#held) return;
    this.#held = null;
    document.getSelection()?.removeAllRanges();
  }

  dispose(): void {
    for (const dispose of this.#disposals) dispose();
  }

  #read(): void {
    if (this.#isRestoring) return;
    const selection = document.getSelection();
    const anchor = selection && this.#point(selection.anchorNode, selection.anchorOffset);
    const focus = selection && this.#point(selection.focusNode, selection.focusOffset);
    const before = this.#held;
    this.#held = anchor && focus && !selection.isCollapsed ? { anchor, focus } : null;
    if (before !== null || this.#held !== null) this.changed();
  }

  #point(node: Node | null, offset: number): TextPoint | null {
    if (!node || !this.rows.element.contains(node)) return null;
    if (node === this.rows.element) return this.#pointBetweenRows(offset);
    const element = node instanceof Element ? node : node.parentElement;
    const line = Number(element?.closest<HTMLElement>(".row")?.dataset["line"] ?? Number.NaN);
    const row = this.rows.get(line);
    return row ? { line, column: row.columnOf(node, offset) } : null;
  }

  #pointBetweenRows(offset: number): TextPoint | null {
    const following = this.rows.element.children[offset];
    const line = Number(
      following instanceof HTMLElement ? following.dataset["line"] : (this.rows.lines().at(-1) ?? Number.NaN),
    );
    const row = this.rows.get(line);
    if (!row) return null;
    return { line, column: following ? 0 : this.model.line(line).text.length };
  }
}

/**
 * What is selected once rows have other numbers. What came in the place of the row where the selection begins, or
 * ends, is selected as well; null when it was in that row as a whole.
 */
export function heldThrough({ anchor, focus }: Held, splice: Splice): Held | null {
  const ends = [moved(anchor.line, splice), moved(focus.line, splice)] as const;
  if (ends[0] === null && ends[1] === null) return null;
  const below = splice.at + splice.removed;
  const gone = (isFirst: boolean) => ({ line: isFirst ? below - splice.added : below, column: 0 });
  return {
    anchor: ends[0] === null ? gone(anchor.line < focus.line) : { ...anchor, line: ends[0] },
    focus: ends[1] === null ? gone(focus.line < anchor.line) : { ...focus, line: ends[1] },
  };
}

/** Text from one point to a later one, lines joined by newlines. Lines no longer kept are left out. */
export function selectedText(model: LogText, first: TextPoint, last: TextPoint): string {
  const from = Math.max(first.line, model.firstLine);
  const to = Math.min(last.line, model.endLine - 1);
  if (from > to) return "";
  const skipped = from === first.line ? first.column : 0;
  const text = model.text(from, to + 1);
  const lastLength = model.line(to).text.length;
  const withoutNewline = text.endsWith("\n") ? text.slice(0, -1) : text;
  const cut = to === last.line ? Math.max(0, lastLength - last.column) : 0;
  return withoutNewline.slice(skipped, withoutNewline.length - cut);
}
