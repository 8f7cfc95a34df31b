import { isFinal, type Run } from "../connection/protocol";
import { el, setText } from "./dom";
import { elapsedOf, exitText, formatBytes, formatElapsed, formatWhen, paramsText } from "./format";
import type { LogPane } from "./logpane";
import { ProgressBar } from "./progressbar";
import { AgainButton } from "./runagain";
import {
  isAlarming,
  isAsking,
  labelledProgress,
  processesText,
  progressOf,
  queueText,
  silenceText,
  stoppingText,
  workerText,
} from "./runwords";
import type { Session } from "./session";
import { setChip, statusChip, waitsBadge } from "./statuschip";

/** What is known of the run that is shown: job, state, times, how far it is, how it ended, how much has arrived. */
export class RunHeader {
  readonly element = el("div", "run-header");
  readonly #title = el("h2", "run-title");
  readonly #chip = statusChip();
  readonly #elapsed = el("span", "run-elapsed");
  readonly #waits = waitsBadge();
  readonly #progress = el("span", "run-progress");
  readonly #exit = el("span", "run-exit");
  readonly #processes = el("span", "run-processes");
  readonly #facts = el("span", "run-facts");
  readonly #params = el("div", "run-params");
  readonly #bar = new ProgressBar();
  readonly #again: AgainButton;

  /** @param tools what can be done with the run, after what is told of it */
  constructor(
    private readonly session: Session,
    tools: readonly HTMLElement[],
  ) {
    this.#again = new AgainButton(session);
    const state = [this.#chip, this.#waits, this.#elapsed, this.#progress, this.#exit, this.#processes];
    const line = el("div", "run-line", this.#title, ...state, this.#facts, ...tools, this.#again.element);
    this.element.append(line, this.#params, this.#bar.element);
  }

  update(run: Run | undefined, pane: LogPane, now: number): void {
    if (!run) return;
    this.#again.update(run);
    const title = this.session.jobTitle(run.job);
    setText(this.#title, title);
    setChip(this.#chip, run.state);
    this.#waits.hidden = !isAsking(run);
    this.#bar.update(run, title);
    const progress = progressOf(run);
    setText(this.#progress, progress ? labelledProgress(progress) : queueText(run));
    const elapsed = elapsedOf(run, now);
    setText(this.#elapsed, elapsed === null ? "" : formatElapsed(elapsed));
    setText(this.#exit, exitText(run) || stoppingText(run, now));
    // Who does not look should hear of processes that are left.
    const isAlarm = isAlarming(run);
    if (isAlarm) this.#processes.setAttribute("role", "alert");
    this.#processes.classList.toggle("is-alarm", isAlarm);
    setText(this.#processes, processesText(run.processes));
    const facts = [
      run.started === null ? "" : `started ${formatWhen(run.started, now)}`,
      this.session.otherUser(run),
      workerText(run),
      `${formatBytes(pane.takenBytes)}${this.#completeness(run, pane)}`,
      silenceText(run, pane.lastOutput, now),
    ];
    setText(this.#facts, facts.filter((fact) => fact !== "").join(" · "));
    setText(this.#params, paramsText(run));
    this.#params.hidden = this.#params.textContent === "";
  }

  #completeness(run: Run, pane: LogPane): string {
    if (!isFinal(run.state)) return "";
    if (run.outputRemoved) return ", no longer kept";
    if (pane.attachment.offset >= run.outputBytes) return ", complete";
    return ` of ${formatBytes(run.outputBytes)}`;
  }
}
