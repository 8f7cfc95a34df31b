import { isFinal, type Run } from "../connection/protocol";
import { el, setText } from "./dom";
import { elapsedOf, formatElapsed, formatWhen } from "./format";
import { leadTo } from "./placelink";
import { ProgressBar } from "./progressbar";
import { boundText, isAsking, underWayText } from "./runwords";
import type { Session } from "./session";
import { setChip, statusChip, waitsBadge } from "./statuschip";
import { StopControl } from "./stopcontrol";

/** One run in a list: a link to it, its state and times, how far it is, and Stop where that is offered. */
class RunRow {
  readonly element = el("li", "run-row");
  readonly #link = el("a", "run-link");
  readonly #chip = statusChip();
  readonly #what = el("span", "run-what");
  readonly #note = el("span", "run-note");
  readonly #waits = waitsBadge();
  readonly #elapsed = el("span", "run-elapsed");
  readonly #bar = new ProgressBar();
  readonly #stop: StopControl | null;

  constructor(
    private readonly session: Session,
    runId: string,
    options: RunListOptions,
  ) {
    leadTo(this.#link, session, { kind: "run", run: runId });
    this.#stop = options.withStop ? new StopControl(session) : null;
    this.#link.append(this.#chip, this.#waits, this.#what, this.#note, this.#elapsed);
    this.element.append(el("span", "run-place", this.#link, this.#bar.element));
    if (this.#stop) this.element.append(this.#stop.element);
  }

  update(run: Run, now: number, withJob: boolean): void {
    setChip(this.#chip, run.state);
    const elapsed = elapsedOf(run, now);
    setText(this.#elapsed, elapsed === null ? "" : formatElapsed(elapsed));
    // There is room for one of them.
    this.#waits.hidden = !isAsking(run);
    this.#chip.hidden = !this.#waits.hidden;
    const note = boundText(run) || underWayText(run);
    setText(this.#note, note);
    this.#note.title = underWayText(run);
    // Why a run is stopping does not say that it is.
    this.#link.classList.toggle("has-note", note !== "" && run.state !== "stopping");
    const title = this.session.jobTitle(run.job);
    this.#bar.update(run, title);
    const when = run.created === null ? "" : formatWhen(run.created, now);
    const what = [withJob ? title : "", note === "" ? when : "", this.session.otherUser(run)];
    setText(this.#what, what.filter((part) => part !== "").join(" · "));
    this.#link.classList.toggle("is-live", !isFinal(run.state));
    const isShown = this.session.selected === run.id;
    if (isShown) this.#link.setAttribute("aria-current", "page");
    else this.#link.removeAttribute("aria-current");
    this.#stop?.update(run);
  }
}

export interface RunListOptions {
  readonly withStop: boolean;
  readonly withJob: boolean;
}

/** A list of runs; rows stay the same elements while their runs are in it. */
export class RunList {
  readonly element = el("ul", "run-list");
  readonly #rows = new Map<string, RunRow>();

  constructor(
    private readonly session: Session,
    private readonly options: RunListOptions,
  ) {}

  show(runs: readonly Run[], now: number): void {
    const kept = new Set(runs.map((run) => run.id));
    for (const [id, row] of this.#rows) {
      if (kept.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    let next = this.element.firstChild;
    for (const run of runs) {
      let row = this.#rows.get(run.id);
      if (!row) {
        row = new RunRow(this.session, run.id, this.options);
        this.#rows.set(run.id, row);
      }
      row.update(run, now, this.options.withJob);
      if (row.element === next) next = next.nextSibling;
      else this.element.insertBefore(row.element, next);
    }
  }
}
