import { isFinal, type Run } from "../connection/protocol";
import { el, setText } from "./dom";
import { elapsedOf, exitText, formatBytes, formatElapsed, formatWhen, paramsText } from "./format";
import type { LogPane } from "./logpane";
import type { Session } from "./session";
import { setChip, statusChip } from "./statuschip";

/** What is known of the run that is shown: job, state, times, how it ended, how much has arrived. */
export class RunHeader {
  readonly element = el("div", "run-header");
  readonly #title = el("h2", "run-title");
  readonly #chip = statusChip();
  readonly #elapsed = el("span", "run-elapsed");
  readonly #exit = el("span", "run-exit");
  readonly #facts = el("span", "run-facts");
  readonly #params = el("div", "run-params");

  constructor(private readonly session: Session) {
    const line = el("div", "run-line", this.#title, this.#chip, this.#elapsed, this.#exit, this.#facts);
    this.element.append(line, this.#params);
  }

  update(run: Run | undefined, pane: LogPane, now: number): void {
    if (!run) return;
    setText(this.#title, this.session.jobTitle(run.job));
    setChip(this.#chip, run.state);
    const elapsed = elapsedOf(run, now);
    setText(this.#elapsed, elapsed === null ? "" : formatElapsed(elapsed));
    setText(this.#exit, exitText(run));
    const facts = [
      run.started === null ? "" : `started ${formatWhen(run.started, now)}`,
      this.session.otherUser(run),
      `${formatBytes(pane.takenBytes)}${this.#completeness(run, pane)}`,
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
