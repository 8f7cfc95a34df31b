import { Listeners } from "../connection/listeners";
import { Finder, type Findings, type Query } from "../log/finder";
import type { LogWindow } from "../log/logwindow";
import { moved, type Splice } from "../log/splice";
import type { LogText, SearchMatch } from "../terminal/types";
import { button, el, setPressed, setText } from "./dom";
import { formatCount } from "./format";

/** How often a search is brought up to date while output streams. */
const REFRESH_MS = 500;
const TYPING_MS = 120;

/** The model that is searched, and the window that shows what was found. */
export interface SearchedLog {
  readonly model: LogText & { readonly hasHoles: boolean };
  readonly window: LogWindow;
}

/** The search field over a log: matches are counted and marked, Enter goes from one to the next. */
export class SearchBar {
  readonly element = el("div", "search");
  /** What is searched for; null when the search is closed. */
  readonly onQuery = new Listeners<Query | null>();
  readonly #input = el("input", "input search-input");
  readonly #count = el("span", "search-count");
  readonly #case: HTMLButtonElement;
  readonly #regex: HTMLButtonElement;
  #finder: Finder;
  #current: SearchMatch | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wantsFirst = false;

  constructor(
    private log: SearchedLog,
    private readonly closed: () => void,
    more: HTMLElement,
  ) {
    this.#finder = new Finder(log.model);
    this.#input.type = "text";
    this.#input.setAttribute("role", "searchbox");
    this.#input.placeholder = "Search the output";
    this.#input.setAttribute("aria-label", "Search the output");
    this.#input.spellcheck = false;
    this.#count.setAttribute("role", "status");
    this.#case = this.#toggle("Aa", "Match case");
    this.#regex = this.#toggle(".*", "Regular expression");
    const previous = button("↑", "button quiet", () => this.#go(-1));
    previous.setAttribute("aria-label", "Previous match");
    const next = button("↓", "button quiet", () => this.#go(1));
    next.setAttribute("aria-label", "Next match");
    const close = button("✕", "button quiet", () => this.close());
    close.setAttribute("aria-label", "Close the search");
    this.element.append(this.#input, this.#count, previous, next, this.#case, this.#regex, more, close);
    this.element.hidden = true;
    this.#input.addEventListener("input", () => this.#restart(TYPING_MS));
    this.#input.addEventListener("keydown", (event) => this.#key(event));
  }

  get hasFocus(): boolean {
    return document.activeElement === this.#input;
  }

  focus(): void {
    this.#input.focus();
    this.#input.select();
  }

  open(): void {
    this.element.hidden = false;
    this.focus();
    if (this.#input.value !== "") this.#restart(0);
  }

  close(): void {
    if (this.element.hidden) return;
    this.element.hidden = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#finder.setQuery(null);
    this.log.window.mark([], null);
    this.onQuery.emit(null);
    this.closed();
  }

  /** The log shows another model (it was loaded anew). */
  setLog(log: SearchedLog): void {
    this.log = log;
    this.#finder = new Finder(log.model);
    if (!this.element.hidden) this.#restart(0);
  }

  /** Rows in the middle of the log changed. */
  splice(splice: Splice): void {
    this.#finder.splice(splice);
    const line = this.#current && moved(this.#current.line, splice);
    this.#current = this.#current && line !== null ? { ...this.#current, line } : null;
    this.changed();
  }

  /** The model has new lines. */
  changed(): void {
    if (this.element.hidden || this.#input.value === "" || this.#timer !== undefined) return;
    this.#schedule(REFRESH_MS);
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }

  #toggle(label: string, description: string): HTMLButtonElement {
    const toggle = button(label, "button quiet", () => {
      setPressed(toggle, toggle.getAttribute("aria-pressed") !== "true");
      this.#restart(0);
    });
    toggle.setAttribute("aria-label", description);
    toggle.title = description;
    setPressed(toggle, false);
    return toggle;
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter") this.#go(event.shiftKey ? -1 : 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #restart(delayMs: number): void {
    this.#current = null;
    this.#wantsFirst = true;
    const query = {
      text: this.#input.value,
      regex: this.#regex.getAttribute("aria-pressed") === "true",
      matchCase: this.#case.getAttribute("aria-pressed") === "true",
    };
    this.#finder.setQuery(query);
    this.onQuery.emit(query);
    clearTimeout(this.#timer);
    this.#schedule(delayMs);
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const more = this.#finder.step();
      this.#show();
      if (more) this.#schedule(0);
    }, delayMs);
  }

  #show(): void {
    const findings = this.#finder.findings;
    if (this.#wantsFirst && findings.matches.length > 0) {
      this.#wantsFirst = false;
      const top = this.log.window.topLine;
      this.#current = findings.matches.find((match) => match.line >= top) ?? findings.matches[0] ?? null;
      this.log.window.mark(findings.matches, this.#current);
      if (this.#current) this.log.window.reveal(this.#current);
    } else {
      this.log.window.mark(findings.matches, this.#current);
    }
    this.#tell(findings);
  }

  #tell(findings: Findings): void {
    this.#input.toggleAttribute("aria-invalid", findings.error !== null);
    if (findings.error !== null) return setText(this.#count, findings.error);
    if (this.#input.value === "") return setText(this.#count, "");
    const rest = (findings.isComplete ? "" : "…") + (this.log.model.hasHoles ? " here" : "");
    if (findings.total === 0) return setText(this.#count, findings.isComplete ? `no match${rest}` : "…");
    const index = this.#indexOfCurrent(findings.matches);
    const at = index < 0 ? "–" : formatCount(index + 1);
    setText(this.#count, `${at} of ${formatCount(findings.total)}${rest}`);
  }

  #indexOfCurrent(matches: readonly SearchMatch[]): number {
    const current = this.#current;
    if (!current) return -1;
    return matches.findIndex((match) => match.line === current.line && match.start === current.start);
  }

  #go(step: 1 | -1): void {
    const { matches } = this.#finder.findings;
    if (matches.length === 0) return;
    const index = this.#indexOfCurrent(matches);
    const start = index < 0 && step < 0 ? 0 : index;
    this.#current = matches[(start + step + matches.length) % matches.length] ?? null;
    this.log.window.mark(matches, this.#current);
    if (this.#current) this.log.window.reveal(this.#current);
    this.#tell(this.#finder.findings);
  }
}
