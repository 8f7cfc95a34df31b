import type { Dispose } from "../connection/listeners";
import type { FoundLine } from "../connection/protocol";
import type { Query } from "../log/finder";
import { button, el, setPressed, setText } from "./dom";
import { counted, formatBytes, formatCount } from "./format";
import type { ServerSearch } from "./serversearch";

/** The server is asked when the reader has stopped typing for so long. */
const TYPING_MS = 350;
/** Characters that are shown before a match, and on a phone. */
const LEAD = 40;
const NARROW_LEAD = 12;
const NARROW = "(max-width: 760px)";

export interface SearchResultsHost {
  /** Whether the page lacks output that the server has. */
  readonly lacksOutput: () => boolean;
  /** Where the output ends, in bytes, as far as the page knows. */
  readonly end: () => number;
  /** Shows a line of the output. */
  readonly goTo: (line: number) => void;
  /** Gives the focus back to the search field. */
  readonly leave: () => void;
}

/**
 * The list of lines that the server finds in the whole output. It opens by itself when the page does not hold all
 * of it, and by its button.
 */
export class SearchResults {
  readonly element = el("section", "found");
  readonly toggle: HTMLButtonElement;
  readonly #status = el("span", "found-status");
  readonly #more: HTMLButtonElement;
  readonly #progress = el("progress", "found-progress");
  readonly #list = el("ol", "found-list");
  readonly #dispose: Dispose;
  #query: Query | null = null;
  /** What the reader wants; null until he says so. */
  #isWanted: boolean | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly search: ServerSearch,
    private readonly host: SearchResultsHost,
  ) {
    this.toggle = button("List", "button quiet", () => {
      this.#isWanted = !this.#isOpen;
      this.#follow(0);
    });
    this.toggle.title = "List the lines of the whole output that match, as the server finds them";
    this.#more = button("Search on", "button", () => {
      if (search.isBusy) search.stop();
      else void search.goOn();
    });
    this.#status.setAttribute("role", "status");
    this.#progress.setAttribute("aria-label", "Searched so far");
    this.#list.setAttribute("aria-label", "Lines that match");
    this.element.setAttribute("aria-label", "Matches in the whole output");
    this.element.append(el("div", "found-head", this.#status, this.#more), this.#progress, this.#list);
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.#dispose = search.onChange.add(() => this.#show());
    this.#show();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#dispose();
    void this.search.start(null);
  }

  /** What is searched for now; null when the search is closed. */
  setQuery(query: Query | null): void {
    this.#query = query && query.text !== "" ? query : null;
    if (query === null) this.#isWanted = null;
    this.#follow(TYPING_MS);
  }

  /** The log has changed: there may be more to search, or the page may lack more. */
  changed(): void {
    if (this.#query === null) return;
    if (this.#isOpen && this.search.query === null) this.#follow(TYPING_MS);
    else this.#showMore();
  }

  /** Puts the focus on the first result; gives whether there is one. */
  focus(): boolean {
    const first = this.#list.querySelector("button");
    first?.focus();
    return first !== null;
  }

  get #isOpen(): boolean {
    return this.#query !== null && (this.#isWanted ?? this.host.lacksOutput());
  }

  #follow(delayMs: number): void {
    clearTimeout(this.#timer);
    const query = this.#isOpen ? this.#query : null;
    if (query === null) void this.search.start(null);
    else if (!isSame(query, this.search.query) || this.search.failure !== null)
      this.#timer = setTimeout(() => void this.search.start(query), delayMs);
    this.#show();
  }

  #show(): void {
    this.element.hidden = !this.#isOpen;
    setPressed(this.toggle, this.#isOpen);
    const { lines, isBusy, reached, end } = this.search;
    this.#progress.classList.toggle("is-absent", !isBusy);
    this.#progress.removeAttribute("value");
    if (end > 0) this.#progress.value = reached / end;
    this.#showLines(lines);
    this.#status.classList.toggle("is-failure", this.search.failure !== null);
    setText(this.#status, this.#telling());
    this.#showMore();
  }

  #showMore(): void {
    const { isBusy, failure } = this.search;
    this.#more.classList.toggle("is-absent", !isBusy && !this.search.canGoOn(this.host.end()));
    setText(this.#more, isBusy ? "Stop" : failure === null ? "Search on" : "Try again");
  }

  #telling(): string {
    const { lines, isBusy, failure, reached, end, query } = this.search;
    if (failure !== null) return failure;
    const found = lines.length === 0 ? "" : `${counted(lines.length, "line")} found`;
    if (query === null || isBusy) {
      const part = end > 0 ? `${formatBytes(reached)} of ${formatBytes(end)}` : "";
      return ["Searching the whole output…", found, part].filter((each) => each !== "").join(" · ");
    }
    const all = end || this.host.end();
    if (reached < all) return `${found || "No match"} in the first ${formatBytes(reached)} of ${formatBytes(all)}`;
    return `${found || "No match"} in the whole output, ${formatBytes(end)}`;
  }

  /**
   * Lines are added below; those that are there stay the same elements. When those of another query take the place
   * of the one that has the focus, the search field gets it.
   */
  #showLines(lines: readonly FoundLine[]): void {
    const hadFocus = this.#hasFocus;
    const rows = [...this.#list.children];
    lines.forEach((line, index) => {
      const row = rows[index];
      if (row instanceof HTMLElement && row.dataset["key"] === keyOf(line)) return;
      const made = this.#row(line);
      if (row) row.replaceWith(made);
      else this.#list.append(made);
    });
    for (const row of rows.slice(lines.length)) row.remove();
    if (hadFocus && !this.#hasFocus) this.host.leave();
  }

  get #hasFocus(): boolean {
    return this.#list.contains(document.activeElement);
  }

  #row(found: FoundLine): HTMLElement {
    const from = Math.max(0, found.start - (matchMedia(NARROW).matches ? NARROW_LEAD : LEAD));
    const lead = (from > 0 ? "…" : "") + found.text.slice(from, found.start);
    const text = el(
      "span",
      "found-text",
      lead,
      el("mark", "", found.text.slice(found.start, found.end)),
      found.text.slice(found.end),
    );
    const row = button("", "found-line", () => {
      this.#list.querySelector("[aria-current]")?.removeAttribute("aria-current");
      row.setAttribute("aria-current", "true");
      this.host.goTo(found.line);
    });
    const number = el("span", "found-number", formatCount(found.line));
    row.append(el("span", "visually-hidden", "Line "), number, text);
    const item = el("li", "", row);
    item.dataset["key"] = keyOf(found);
    return item;
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Escape") {
      event.preventDefault();
      this.host.leave();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const rows = [...this.#list.querySelectorAll("button")];
    const at = rows.indexOf(document.activeElement as HTMLButtonElement);
    if (step === undefined || at < 0) return;
    event.preventDefault();
    if (at + step < 0) this.host.leave();
    else rows[at + step]?.focus();
  }
}

function isSame(a: Query, b: Query | null): boolean {
  return b !== null && a.text === b.text && a.regex === b.regex && a.matchCase === b.matchCase;
}

function keyOf({ line, text, start, end }: FoundLine): string {
  return `${line} ${start} ${end} ${text}`;
}
