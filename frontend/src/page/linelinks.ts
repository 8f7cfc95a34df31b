import type { Dispose } from "../connection/listeners";
import type { LineRange } from "../log/rows";
import { LineBar } from "./linebar";
import type { LogPane } from "./logpane";
import type { Notices } from "./notices";
import { hashOfLines, linesOfHash, rangeOf } from "./permalink";

/** Lines and the address bar: `#L120` goes there and marks it, and choosing lines by their numbers sets it. */
export class LineLinks {
  readonly bar: LineBar;
  readonly #disposals: Dispose[] = [];
  /** Where a range begins that shift and a click make. */
  #anchor: number | null = null;

  constructor(
    private readonly pane: LogPane,
    private readonly notices: Notices,
  ) {
    this.bar = new LineBar({
      go: (lines) => this.#set(lines, true),
      copyLink: () => void this.#copyLink(),
      clear: () => this.#clear(),
    });
    this.#show(pane.marked);
    const stop = new AbortController();
    window.addEventListener("hashchange", () => this.#hashChanged(), { signal: stop.signal });
    this.#disposals.push(
      () => stop.abort(),
      pane.onChoose.add(({ number, extends_ }) => this.#choose(number, extends_)),
      pane.onUnreachable.add((reason) => notices.remark(reason)),
    );
  }

  dispose(): void {
    for (const dispose of this.#disposals) dispose();
  }

  /** Goes to a line, marks it, and has the address bar say so. */
  goTo(line: number): void {
    this.#anchor = line;
    this.#set({ first: line, last: line }, true);
  }

  #choose(number: number, extends_: boolean): void {
    const lines = rangeOf(extends_ ? (this.#anchor ?? number) : number, number);
    if (!lines) return;
    if (!extends_) this.#anchor = number;
    this.#set(lines, false);
  }

  #set(lines: LineRange, goes: boolean): void {
    history.replaceState(history.state, "", hashOfLines(lines));
    this.#show(lines);
    if (goes) this.pane.goToLines(lines);
    else this.pane.markLines(lines);
  }

  #show(lines: LineRange | null): void {
    this.#anchor ??= lines?.first ?? null;
    this.bar.show(lines);
  }

  #clear(): void {
    this.#anchor = null;
    this.pane.markLines(null);
    history.replaceState(history.state, "", location.pathname + location.search);
    this.pane.window.focus();
  }

  #hashChanged(): void {
    const lines = linesOfHash(location.hash);
    this.#anchor = null;
    this.#show(lines);
    if (lines) this.pane.goToLines(lines);
    else this.pane.markLines(null);
  }

  async #copyLink(): Promise<void> {
    try {
      await navigator.clipboard.writeText(location.href);
      this.notices.remark("Link copied");
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      this.notices.remark(`The browser did not allow copying: ${said}`);
    }
  }
}
