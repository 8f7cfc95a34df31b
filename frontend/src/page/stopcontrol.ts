import { isFinal, type Run } from "../connection/protocol";
import { uselessness } from "./appstate";
import { button, el, setDisabled, setText, setUnavailable } from "./dom";
import type { Session } from "./session";

/**
 * The Stop button of a run; where the job ignores Stop, it offers to force it. Beside the output of an
 * app stands Restart as well: the run goes on through it.
 */
export class StopControl {
  readonly element = el("span", "stop-control");
  readonly #stop: HTMLButtonElement;
  readonly #restart: HTMLButtonElement;
  readonly #overdue = el("span", "stop-overdue", "The job ignores Stop.");
  #run: Run | null = null;
  #isAsking = false;

  constructor(private readonly session: Session) {
    this.#stop = button("Stop", "button danger", () => void this.#ask());
    this.#restart = button("Restart", "button restart", () => void this.#askRestart());
    this.#overdue.hidden = true;
    this.element.append(this.#overdue, this.#stop, this.#restart);
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
    const blocked = this.session.blocked ?? (this.#isAsking ? "Asking" : null);
    setDisabled(this.#stop, blocked ?? waiting);
    const service = this.session.service(run.job);
    this.#restart.hidden = !service;
    if (service) setUnavailable(this.#restart, blocked ?? waiting ?? uselessness(service, "restart"));
  }

  async #askRestart(): Promise<void> {
    const run = this.#run;
    if (!run || this.#restart.getAttribute("aria-disabled") === "true") return;
    await this.#during(run, "Restart", () => this.session.control(run.job, "restart"));
  }

  async #ask(): Promise<void> {
    const run = this.#run;
    if (run) await this.#during(run, "Stop", () => this.session.stop(run.id, run.stopOverdue));
  }

  async #during(run: Run, what: string, act: () => Promise<void>): Promise<void> {
    const code = `stop-${run.id}`;
    this.#isAsking = true;
    this.update(run);
    try {
      await act();
      this.session.notices.remove(code);
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      this.session.notices.show(code, `${what}: ${said}`, "error");
    } finally {
      this.#isAsking = false;
      this.update(this.session.runs.get(run.id) ?? run);
    }
  }
}
