import type { SearchMatch } from "../terminal/types";
import type { Rows } from "./rows";
import { moved, type Splice } from "./splice";

const MATCH = "log-match";
const CURRENT = "log-current";

/**
 * Marks search matches in the mounted rows by the CSS Custom Highlight API: no element is added, so
 * a selection is not disturbed. A browser without it still marks the row of the current match.
 */
export class MatchMarks {
  #byLine = new Map<number, SearchMatch[]>();
  #current: SearchMatch | null = null;
  #markedRow: HTMLElement | null = null;
  readonly #isSupported = typeof Highlight !== "undefined" && "highlights" in CSS;

  constructor(private readonly rows: Rows) {}

  set(matches: readonly SearchMatch[], current: SearchMatch | null): void {
    this.#byLine = new Map();
    for (const match of matches) {
      const others = this.#byLine.get(match.line);
      if (others) others.push(match);
      else this.#byLine.set(match.line, [match]);
    }
    this.#current = current;
  }

  /** Rows have other numbers now. */
  splice(splice: Splice): void {
    const matches = [...this.#byLine.values()].flat();
    const at = (match: SearchMatch): SearchMatch[] => {
      const line = moved(match.line, splice);
      return line === null ? [] : [{ ...match, line }];
    };
    this.set(matches.flatMap(at), this.#current && (at(this.#current)[0] ?? null));
  }

  /** The row element of the current match, if mounted. */
  currentElement(): HTMLElement | null {
    return this.#current ? (this.rows.get(this.#current.line)?.element ?? null) : null;
  }

  /** Where the current match is on the screen, if mounted. */
  currentRect(): DOMRect | null {
    if (!this.#current || !this.currentElement()) return null;
    return this.#range(this.#current).getBoundingClientRect();
  }

  draw(): void {
    const row = this.currentElement();
    if (row !== this.#markedRow) {
      this.#markedRow?.classList.remove("is-current");
      row?.classList.add("is-current");
      this.#markedRow = row;
    }
    if (!this.#isSupported) return;
    if (this.#byLine.size === 0) {
      CSS.highlights.delete(MATCH);
      CSS.highlights.delete(CURRENT);
      return;
    }
    const ranges: Range[] = [];
    for (const line of this.rows.lines()) {
      for (const match of this.#byLine.get(line) ?? []) ranges.push(this.#range(match));
    }
    CSS.highlights.set(MATCH, new Highlight(...ranges));
    const current = new Highlight();
    current.priority = 1;
    if (this.#current && row) current.add(this.#range(this.#current));
    CSS.highlights.set(CURRENT, current);
  }

  dispose(): void {
    if (!this.#isSupported) return;
    CSS.highlights.delete(MATCH);
    CSS.highlights.delete(CURRENT);
  }

  #range(match: SearchMatch): Range {
    const range = document.createRange();
    const row = this.rows.get(match.line);
    if (!row) return range;
    const start = row.positionOf(match.start);
    const end = row.positionOf(match.end);
    range.setStart(start.node, start.offset);
    range.setEnd(end.node, end.offset);
    return range;
  }
}
