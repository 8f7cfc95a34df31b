import type { AttachmentEvent } from "../connection/attachment";
import type { Dispose } from "../connection/listeners";
import { isFinal, type Run } from "../connection/protocol";
import { AnswerLine } from "./answerline";
import { searchOutput } from "./api";
import { Batch } from "./batch";
import { el, setText } from "./dom";
import { downloadMenu } from "./downloadmenu";
import { counted } from "./format";
import { LineLinks } from "./linelinks";
import { LogPane } from "./logpane";
import { linesOfHash } from "./permalink";
import { ReportPanel } from "./reportpanel";
import { RunHeader } from "./runheader";
import { isAsking, isGoing, silenceText } from "./runwords";
import { SearchBar } from "./searchbar";
import { SearchResults } from "./searchresults";
import { ServerSearch } from "./serversearch";
import type { Session } from "./session";
import { StopControl } from "./stopcontrol";
import { Toolbar } from "./toolbar";

const TICK_MS = 1000;
/** How often a screen reader is told how many lines there are, while a run goes on. */
const ANNOUNCE_MS = 10_000;

/** The run that is shown: its header, toolbar and log window. One object for each run shown. */
export class RunPanel {
  readonly element = el("section", "run");
  readonly #pane: LogPane;
  readonly #header: RunHeader;
  readonly #stop: StopControl;
  readonly #search: SearchBar;
  readonly #results: SearchResults;
  readonly #lines: LineLinks;
  readonly #report: ReportPanel;
  readonly #answer: AnswerLine;
  readonly #empty = el("p", "empty log-empty");
  readonly #announcer = el("p", "visually-hidden");
  readonly #disposals: Dispose[] = [];
  #announcedAt = 0;
  #announcedState = "";
  readonly #redraw = new Batch(() => this.#update());

  constructor(
    private readonly session: Session,
    private readonly runId: string,
  ) {
    this.#pane = new LogPane(session.connection, runId, linesOfHash(location.hash));
    this.#lines = new LineLinks(this.#pane, session.notices);
    this.#stop = new StopControl(session);
    this.#results = new SearchResults(
      new ServerSearch((query, signal) => searchOutput(session.config.apiBase, runId, query, signal)),
      {
        lacksOutput: () => this.#pane.model.hasHoles,
        end: () => this.#pane.takenBytes,
        goTo: (line) => this.#lines.goTo(line),
        leave: () => this.#search.focus(),
      },
    );
    this.#search = new SearchBar(this.#pane, () => this.#pane.window.focus(), this.#results.toggle);
    this.#search.onQuery.add((query) => this.#results.setQuery(query));
    this.#report = new ReportPanel({
      ask: () => session.report(runId),
      blocked: () => session.blocked,
      title: () => `${session.jobTitle(session.runs.get(runId)?.job ?? "")}, run ${runId}`,
      copy: (text) => void this.#copy(text),
      leave: () => this.#pane.window.focus(),
    });
    this.#answer = new AnswerLine({
      send: (data, eof) => session.input(runId, data, eof),
      blocked: () => session.blocked,
      mayTakeFocus: () => this.#isFocusFree,
      leave: () => this.#pane.window.focus(),
    });
    this.#header = new RunHeader(session, [this.#answer.toggle]);
    this.#announcer.setAttribute("role", "status");
    const toolbar = new Toolbar(
      {
        clear: () => this.#pane.clear(),
        search: () => this.#search.open(),
        goToLine: () => this.#lines.bar.open(),
        copy: () => void this.#copy(this.#copied),
        follow: () => this.#pane.toggleFollow(),
        wrap: (on) => this.#pane.setWrapped(on),
        times: (on) => this.#pane.setTimes(on),
        numbers: (on) => this.#pane.setNumbers(on),
        fullScreen: () => void this.#toggleFullScreen(),
      },
      [this.#stop.element, this.#report.toggle],
      downloadMenu(session.config.apiBase, runId),
    );
    this.#disposals.push(this.#pane.onFollow.add((following) => toolbar.showFollowing(following)));
    this.#pane.element.append(this.#empty, this.#lines.bar.element);
    this.element.append(
      this.#header.element,
      toolbar.element,
      this.#search.element,
      this.#results.element,
      this.#report.element,
      this.#pane.element,
      this.#answer.element,
      this.#announcer,
    );
    this.#listen();
    this.#redraw.request();
  }

  dispose(): void {
    for (const dispose of this.#disposals) dispose();
    this.#redraw.dispose();
    this.#search.dispose();
    this.#results.dispose();
    this.#lines.dispose();
    this.#answer.dispose();
    this.#pane.dispose();
    this.element.remove();
  }

  #listen(): void {
    const stop = new AbortController();
    const timer = setInterval(() => this.#redraw.request(), TICK_MS);
    this.#disposals.push(
      () => stop.abort(),
      () => clearInterval(timer),
      this.session.runs.onChange.add(() => this.#redraw.request()),
      this.session.connection.onState.add(() => this.#redraw.request()),
      this.#pane.onChange.add(() => {
        this.#search.changed();
        this.#results.changed();
        this.#redraw.request();
      }),
      this.#pane.onReplace.add(() => this.#search.setLog(this.#pane)),
      this.#pane.onSplice.add((splice) => this.#search.splice(splice)),
      this.#pane.attachment.onEvent.add((event) => this.#attached(event)),
    );
    this.#search.element.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" && this.#search.hasFocus && this.#results.focus()) event.preventDefault();
    });
    document.addEventListener("keydown", (event) => this.#key(event), { signal: stop.signal });
  }

  #attached(event: AttachmentEvent): void {
    const { notices, runs } = this.session;
    const code = `attach-${this.runId}`;
    switch (event.kind) {
      case "attached":
        runs.put(event.run);
        notices.remove(code);
        if (event.resumed) notices.remark("Reconnected: nothing lost");
        return;
      case "restarted":
        notices.remark("The server has less of this output than was shown: loaded again from its start");
        return;
      case "failed":
        if (event.error.code === "unknown_run") this.#showUnknown(event.error.message);
        else notices.show(code, event.error.message, "error");
    }
  }

  #showUnknown(message: string): void {
    this.element.classList.add("is-unknown");
    setText(this.#empty, message);
  }

  #key(event: KeyboardEvent): void {
    const isFind = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "f";
    const typing = event.target instanceof Element && event.target.closest("input, textarea, select");
    const isPlain = !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (isPlain && event.key === "g") {
      event.preventDefault();
      this.#lines.bar.open();
    }
    const isSlash = isPlain && event.key === "/";
    // A second Ctrl+F reaches the browser's own search.
    if (!isSlash && !(isFind && !this.#search.hasFocus)) return;
    event.preventDefault();
    this.#search.open();
  }

  #update(): void {
    const run = this.session.runs.get(this.runId);
    const now = Date.now();
    this.#header.update(run, this.#pane, now);
    this.#stop.update(run ?? null);
    this.#report.update(isGoing(run), silenceText(run, this.#pane.lastOutput, now) !== "");
    this.#answer.update(run);
    this.#entitle();
    this.#showEmpty();
    this.#announce(now);
  }

  #entitle(): void {
    const run = this.session.runs.get(this.runId);
    const { title } = this.session.config;
    const state = isAsking(run) ? "waits for input" : run?.state;
    document.title = run ? `${this.session.jobTitle(run.job)}: ${state} · ${title}` : title;
  }

  /** Whether nobody minds when the focus goes to a question: nothing is being typed, chosen or selected. */
  get #isFocusFree(): boolean {
    const active = document.activeElement;
    if (!(getSelection()?.isCollapsed ?? true)) return false;
    if (!active || active === document.body || this.#pane.element.contains(active)) return true;
    return active.matches(".job-form button[type=submit]");
  }

  #showEmpty(): void {
    const { firstLine, endLine } = this.#pane.model;
    const run = this.session.runs.get(this.runId);
    this.#empty.hidden = endLine > firstLine;
    if (this.#empty.hidden || !run) return;
    setText(this.#empty, emptiness(run, this.#pane.takenBytes));
  }

  #announce(now: number): void {
    const run = this.session.runs.get(this.runId);
    const asked = isAsking(run) ? `, waits for input. ${run?.waiting?.prompt ?? ""}` : "";
    const state = `${run?.state ?? ""}${asked}`;
    if (state === this.#announcedState && now - this.#announcedAt < ANNOUNCE_MS) return;
    this.#announcedState = state;
    this.#announcedAt = now;
    setText(this.#announcer, `${counted(this.#pane.model.lastNumber, "line")} of output, ${state}`);
  }

  /** The selection, or else all lines. */
  get #copied(): string {
    const { model, window } = this.#pane;
    return window.selectedText() || model.text(model.firstLine, model.endLine);
  }

  async #copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.session.notices.remark("Copied");
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      this.session.notices.remark(`The browser did not allow copying: ${said}`);
    }
  }

  async #toggleFullScreen(): Promise<void> {
    if (document.fullscreenElement) return document.exitFullscreen();
    try {
      await this.element.requestFullscreen();
    } catch {
      // Phones without the API: fill the page instead.
      this.element.classList.toggle("is-full");
    }
  }
}

function emptiness(run: Run, bytes: number): string {
  if (isFinal(run.state) && bytes === 0) return "This run printed nothing.";
  return run.state === "queued" ? "It waits until it may begin." : "Waiting for output…";
}
