import type { Run } from "../connection/protocol";
import { fetchRuns } from "./api";
import { Batch } from "./batch";
import { button, el, setText, setUnavailable } from "./dom";
import { counted } from "./format";
import { HistoryFilter } from "./historyfilter";
import { COLUMNS, HistoryRow } from "./historyrow";
import { ANY_RUN, isSameFilter, type RunFilter } from "./place";
import { RunHistory } from "./runhistory";
import type { Session } from "./session";

const TICK_MS = 1000;
/** How often it is asked how much the runs under way have printed. */
const RECOUNT_MS = 5000;

/** The table of past runs. It stays as it is, where it was scrolled to as well, while a run is looked at. */
export class HistoryPanel {
  readonly element = el("section", "history");
  readonly #history: RunHistory;
  readonly #filter: HistoryFilter;
  readonly #table = el("table", "history-table");
  readonly #body = el("tbody");
  readonly #rows = new Map<string, HistoryRow>();
  readonly #scroller = el("div", "history-scroller");
  readonly #empty = el("p", "empty history-empty");
  readonly #more: HTMLButtonElement;
  readonly #status = el("span", "history-status");
  readonly #announcer = el("p", "visually-hidden");
  readonly #failure = el("p", "form-error");
  readonly #redraw = new Batch(() => this.#update());
  #timers: ReturnType<typeof setInterval>[] = [];
  #isShown = false;
  #isStale = false;
  #wasLoading = false;
  #scrolledTo = 0;

  constructor(private readonly session: Session) {
    this.#history = new RunHistory(session.runs, (query) => fetchRuns(session.config.apiBase, query));
    this.#filter = new HistoryFilter((filter) => session.go({ kind: "history", filter }));
    this.#more = button("Load more", "button", () => this.#loadMore());
    const title = el("h2", "history-title", "All runs");
    title.id = "history-title";
    this.element.setAttribute("aria-labelledby", title.id);
    this.#announcer.setAttribute("role", "status");
    this.#failure.setAttribute("role", "alert");
    this.#failure.hidden = true;
    this.#table.setAttribute("role", "table");
    this.#table.append(el("caption", "visually-hidden", "Runs, the newest first"), tableHead(), this.#body);
    this.#body.setAttribute("role", "rowgroup");
    this.#body.addEventListener("keydown", (event) => this.#key(event));
    const foot = el("div", "history-foot", this.#more, this.#status);
    this.#scroller.append(this.#table, this.#empty, this.#failure, foot);
    this.element.append(el("div", "history-head", title, this.#filter.element), this.#scroller, this.#announcer);
    this.#history.onChange.add(() => this.#redraw.request());
    session.onJobs.add(() => this.#redraw.request());
    session.connection.onState.add(({ kind }) => {
      if (kind === "connected") this.#missed();
      this.#redraw.request();
    });
  }

  /** To be called when the element is on the page. */
  show(filter: RunFilter): void {
    const isOther = !isSameFilter(filter, this.#history.filter);
    this.#isShown = true;
    document.title = `All runs · ${this.session.config.title}`;
    void this.#history.show(filter);
    if (this.#isStale && !isOther) void this.#history.reload();
    this.#isStale = false;
    this.#update();
    this.#scroller.scrollTop = isOther ? 0 : this.#scrolledTo;
    this.#timers = [
      setInterval(() => this.#tick(), TICK_MS),
      setInterval(() => void this.#recount(), RECOUNT_MS),
    ];
  }

  /** To be called before the element leaves the page. */
  hide(): void {
    if (!this.#isShown) return;
    this.#scrolledTo = this.#scroller.scrollTop;
    this.#isShown = false;
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }

  /** Events of the time without a connection are lost: the runs are loaded anew, once they are looked at. */
  #missed(): void {
    this.#isStale = !this.#isShown;
    if (this.#isShown) void this.#history.reload();
  }

  async #recount(): Promise<void> {
    if (this.session.isConnected && !document.hidden) await this.#history.recount();
  }

  #loadMore(): void {
    if (this.#more.getAttribute("aria-disabled") !== "true") void this.#history.loadMore();
  }

  #key(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const links = [...this.#body.querySelectorAll<HTMLElement>(".past-link")];
    const at = links.indexOf(document.activeElement as HTMLElement);
    if (step === undefined || at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    links[at + step]?.focus();
  }

  #tick(): void {
    const now = Date.now();
    for (const [id, row] of this.#rows) {
      const run = row.isFinal ? undefined : this.session.runs.get(id);
      if (run) row.update(run, now);
    }
  }

  #update(): void {
    if (!this.#isShown) return;
    const history = this.#history;
    const runs = history.runs;
    const users = this.session.runs.all("user");
    this.#filter.update(history.filter, { jobs: this.#jobs, users });
    this.#table.classList.toggle("has-users", users.length > 1);
    const last = [...this.#rows.keys()].sort()[0];
    this.#show(runs);
    this.#table.hidden = runs.length === 0;
    this.#empty.hidden = runs.length > 0 || history.failure !== null;
    setText(this.#empty, this.#emptiness());
    this.#failure.hidden = history.failure === null;
    setText(this.#failure, history.failure === null ? "" : `The runs could not be loaded: ${history.failure}`);
    const hadFocus = document.activeElement === this.#more;
    this.#more.hidden = !history.hasMore || (runs.length === 0 && history.failure === null);
    // Whoever was on the button goes on with the runs that it has brought.
    if (hadFocus && this.#more.hidden) this.#focusBelow(last, runs);
    setText(this.#more, history.failure === null ? "Load more" : "Try again");
    setUnavailable(this.#more, history.loading === "more" ? "Loading" : null);
    this.#tell(runs.length);
  }

  #focusBelow(last: string | undefined, runs: readonly Run[]): void {
    const next = runs.find((run) => last !== undefined && run.id < last) ?? runs.at(-1);
    if (next) this.#rows.get(next.id)?.focus();
  }

  #tell(shown: number): void {
    const { loading, failure, hasMore } = this.#history;
    const said = shown === 0 ? "" : `${counted(shown, "run")}${hasMore ? "" : ", these are all"}`;
    setText(this.#status, said);
    // A screen reader is told what was loaded, not of each run that begins or ends.
    if (this.#wasLoading && loading === null && failure === null) {
      setText(this.#announcer, shown === 0 ? this.#emptiness() : said);
    }
    this.#wasLoading = loading !== null;
  }

  /** Also those that are no more, but have runs. */
  get #jobs(): { name: string; title: string }[] {
    const { jobs, runs } = this.session;
    const gone = runs.all("job").filter((name) => !jobs.some((job) => job.name === name));
    return [...jobs, ...gone.map((name) => ({ name, title: name }))].map(({ name, title }) => ({ name, title }));
  }

  #emptiness(): string {
    if (this.#history.loading !== null || this.#history.hasMore) return "Loading…";
    return isSameFilter(this.#history.filter, ANY_RUN)
      ? "Nothing has run yet. Press Start on a job."
      : "No run is like that.";
  }

  /** Rows stay the same elements, so that the focus stays where it is. */
  #show(runs: readonly Run[]): void {
    const now = Date.now();
    const kept = new Set(runs.map((run) => run.id));
    for (const [id, row] of this.#rows) {
      if (kept.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    let next = this.#body.firstChild;
    for (const run of runs) {
      let row = this.#rows.get(run.id);
      if (!row) {
        row = new HistoryRow(this.session, run);
        this.#rows.set(run.id, row);
      }
      row.update(run, now);
      if (row.element === next) next = next.nextSibling;
      else this.#body.insertBefore(row.element, next);
    }
  }
}

function tableHead(): HTMLTableSectionElement {
  const row = el("tr");
  row.setAttribute("role", "row");
  for (const { name, title } of COLUMNS) {
    const head = el("th", `past-${name}`, title);
    head.scope = "col";
    head.setAttribute("role", "columnheader");
    row.append(head);
  }
  const head = el("thead", "", row);
  head.setAttribute("role", "rowgroup");
  return head;
}
