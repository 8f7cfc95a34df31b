import type { Report, ReportedThread } from "../connection/report";
import { button, el, setPressed, setText, setUnavailable } from "./dom";
import { answerOf, frameText, processRows, reportText, stackLines, threadTitle } from "./reportwords";
import { formatDuration } from "./runwords";

export interface ReportPanelHost {
  /** Asks the server. Rejects with an Error for people. */
  readonly ask: () => Promise<Report>;
  /** Why nothing can be asked just now, or null. */
  readonly blocked: () => string | null;
  /** What the run is called in the copied text. */
  readonly title: () => string;
  readonly copy: (text: string) => void;
  /** Takes the focus when the panel is closed by a key. */
  readonly leave: () => void;
}

/** Why a running run is silent: what it does, in words first, its processes, and where its threads are. */
export class ReportPanel {
  readonly element = el("section", "report");
  /** Opens and closes it. */
  readonly toggle: HTMLButtonElement;
  readonly #answer = el("p", "report-answer");
  readonly #facts = el("p", "report-facts");
  readonly #body = el("div", "report-body");
  readonly #refresh: HTMLButtonElement;
  readonly #copy: HTMLButtonElement;
  #report: Report | null = null;
  #failure = "";
  #isOpen = false;
  #isAsking = false;
  #isRunning = false;

  constructor(private readonly host: ReportPanelHost) {
    this.toggle = button("Why is it silent?", "button quiet report-toggle", () => this.#toggle());
    this.toggle.title = "See what the run does now: its processes, and the lines in which its threads are";
    this.#refresh = button("Refresh", "button", () => void this.#ask());
    this.#copy = button("Copy", "button quiet", () => {
      if (this.#report) this.host.copy(reportText(this.#report, this.host.title()));
    });
    const close = button("✕", "button quiet", () => this.#close());
    close.setAttribute("aria-label", "Close the report");
    this.#answer.setAttribute("role", "status");
    const buttons = el("div", "report-buttons", this.#refresh, this.#copy, close);
    this.element.append(el("div", "report-head", this.#answer, buttons), this.#facts, this.#body);
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      this.#close();
    });
    this.#show();
  }

  /** @param isOffered whether it stands out: nobody knows why the run is silent */
  update(isRunning: boolean, isOffered: boolean): void {
    this.#isRunning = isRunning;
    this.toggle.classList.toggle("is-offered", isOffered);
    this.#show();
  }

  #toggle(): void {
    if (this.#isOpen) {
      this.#close();
      return;
    }
    this.#isOpen = true;
    void this.#ask();
  }

  #close(): void {
    const hadFocus = this.element.contains(document.activeElement);
    this.#isOpen = false;
    this.#report = null;
    this.#failure = "";
    this.#draw();
    if (!hadFocus) return;
    if (this.toggle.hidden) this.host.leave();
    else this.toggle.focus();
  }

  async #ask(): Promise<void> {
    if (this.#isAsking || this.#refresh.getAttribute("aria-disabled") === "true") return;
    this.#isAsking = true;
    this.#show();
    try {
      const report = await this.host.ask();
      this.#report = report;
      this.#failure = "";
    } catch (error) {
      this.#failure = `No report: ${error instanceof Error ? error.message : String(error)}`;
    } finally {
      this.#isAsking = false;
    }
    // It may have been closed meanwhile.
    if (this.#isOpen) this.#draw();
    else this.#close();
  }

  #show(): void {
    this.toggle.hidden = !this.#isRunning && !this.#isOpen;
    setPressed(this.toggle, this.#isOpen);
    this.element.hidden = !this.#isOpen;
    const over = this.#isRunning ? null : "The run is not running";
    setUnavailable(this.#refresh, this.host.blocked() ?? over ?? (this.#isAsking ? "Asking" : null));
    setUnavailable(this.#copy, this.#report ? null : "There is nothing to copy");
    this.element.classList.toggle("is-old", this.#isAsking || this.#failure !== "");
    this.#answer.classList.toggle("is-failure", this.#failure !== "");
    // The report of a run that has ended stays to be read.
    this.element.setAttribute("aria-label", this.#isRunning ? "What the run does now" : "What the run did");
    const answer = this.#report ? answerOf(this.#report, !this.#isRunning) : this.#isAsking ? "Looking at what it does…" : "";
    setText(this.#answer, this.#failure || answer);
  }

  #draw(): void {
    const report = this.#report;
    setText(this.#facts, report ? factsOf(report) : "");
    this.#body.replaceChildren();
    if (report && report.processes.length > 0) this.#body.append(processTable(report));
    for (const thread of report?.threads ?? []) this.#body.append(threadView(thread));
    this.#show();
  }
}

function factsOf({ time, silentSeconds, note }: Report): string {
  const at = time === null ? "" : ` at ${new Date(time).toLocaleTimeString(undefined, { hourCycle: "h23" })}`;
  const silent = `It had printed nothing for ${formatDuration(silentSeconds)}${at}.`;
  return note === "" ? silent : `${silent} ${note}`;
}

function processTable({ processes }: Report): HTMLElement {
  const head = el("tr", "");
  for (const title of ["Process", "Command", "State", "CPU", "Memory", "Time"]) {
    const cell = el("th", "", title);
    cell.scope = "col";
    head.append(cell);
  }
  const body = el("tbody");
  for (const { depth, pid, command, state, cpu, memory, time } of processRows(processes)) {
    const name = el("td", "report-command", "\u00a0\u00a0".repeat(depth) + (depth > 0 ? "└ " : ""), command);
    name.title = command;
    const row = el("tr", "", el("td", "report-number", pid), name, el("td", "", state));
    for (const number of [cpu, memory, time]) row.append(el("td", "report-number", number));
    body.append(row);
  }
  const caption = el("caption", "visually-hidden", "Its processes, each below the one that started it");
  return el("div", "report-processes", el("table", "", caption, el("thead", "", head), body));
}

/** A thread's innermost line; the calls that led there on demand. */
function threadView(thread: ReportedThread): HTMLElement {
  const innermost = thread.stack.at(-1);
  const where = innermost ? frameText(innermost) : "no Python code";
  const title = [el("span", "report-thread", threadTitle(thread)), el("code", "report-line", where)];
  if (thread.stack.length === 0) return el("p", "report-stack", ...title);
  const stack = el("pre", "report-calls", stackLines(thread).join("\n"));
  stack.tabIndex = 0;
  stack.setAttribute("aria-label", "Calls, the innermost first");
  return el("details", "report-stack", el("summary", "", ...title), stack);
}
