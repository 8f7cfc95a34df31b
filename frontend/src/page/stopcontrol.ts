import { isFinal, type Run } from "../connection/protocol";
import { button, el, setDisabled, setText } from "./dom";
import type { Session } from "./session";

/** The Stop button of a run; where the job ignores Stop, it offers to force it. */
export class StopControl {
  readonly element = el("span", "stop-control");
  readonly #stop: HTMLButtonElement;
  readonly #overdue = el("span", "stop-overdue", "The job ignores Stop.");
  #run: Run | null = null;
  #isAsking = false;

  constructor(private readonly session: Session) {
    this.#stop = button("Stop", "button danger", () => void this.#ask());
    this.#overdue.hidden = true;
    this.element.append(this.#overdue, this.#stop);
    this.element.hidden = true;
  }

  update(run: Run | null): void {
    this.#run = run;
    this.element.hidden = !run || isFinal(run.state);
    if (!run || this.element.hidden) return;
    const force = run.state === "stopping" && run.stopOverdue;
    this.#overdue.hidden = !force;
    this.#stop.classList.toggle("is-force", force);
    setText(this.#stop, force ? "Force" : run.state === "stopping" ? "Stopping…" : "Stop");
    const waiting = run.state === "stopping" && !force ? "Asked to stop; waiting for the job" : null;
    setDisabled(this.#stop, this.session.blocked ?? (this.#isAsking ? "Asking" : waiting));
  }

  async #ask(): Promise<void> {
    const run = this.#run;
    if (!run) return;
    this.#isAsking = true;
    this.update(run);
    try {
      await this.session.stop(run.id, run.stopOverdue);
      this.session.notices.remove(`stop-${run.id}`);
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      this.session.notices.show(`stop-${run.id}`, `Stop: ${said}`, "error");
    } finally {
      this.#isAsking = false;
      this.update(this.session.runs.get(run.id) ?? run);
    }
  }
}
