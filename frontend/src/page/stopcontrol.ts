import { isFinal, type Run } from "../connection/protocol";
import { uselessness } from "./appstate";
import { button, el, setDisabled, setText, setUnavailable } from "./dom";
import type { Session } from "./session";

/** A process can be forced before its time is over, but not by a second click on Stop that was meant for the first. */
const SECOND_THOUGHT_MS = 1500;

/**
 * The Stop button of a run; where the job ignores Stop, or can be killed, it offers to force it. A run that
 * waits in line is cancelled. Beside the output of an app stands Restart as well: the run goes on through it.
 */
export class StopControl {
  readonly element = el("span", "stop-control");
  readonly #stop: HTMLButtonElement;
  readonly #restart: HTMLButtonElement;
  #run: Run | null = null;
  #isAsking = false;
  /** When it was first seen stopping; null before. */
  #stoppingSeen: number | null = null;

  constructor(private readonly session: Session) {
    this.#stop = button("Stop", "button danger", () => void this.#ask());
    this.#restart = button("Restart", "button restart", () => void this.#askRestart());
    this.element.append(this.#stop, this.#restart);
    this.element.hidden = true;
  }

  update(run: Run | null): void {
    this.#run = run;
    this.element.hidden = !run || isFinal(run.state);
    if (!run || this.element.hidden) return;
    if (run.state === "stopping") this.#stoppingSeen ??= Date.now();
    const force = this.#mayForce(run);
    this.#stop.classList.toggle("is-force", force);
    setText(this.#stop, force ? "Force" : wording(run));
    const waiting = run.state === "stopping" && !force ? "Asked to stop; waiting for the job" : null;
    const blocked = this.session.blocked ?? (this.#isAsking ? "Asking" : null);
    setDisabled(this.#stop, blocked ?? waiting);
    const service = this.session.service(run.job);
    this.#restart.hidden = !service;
    if (service) setUnavailable(this.#restart, blocked ?? waiting ?? uselessness(service, "restart"));
  }

  #mayForce(run: Run): boolean {
    if (run.state !== "stopping" || run.stopOverdue) return run.stopOverdue;
    const since = this.#stoppingSeen;
    return run.isolation === "process" && since !== null && Date.now() - since >= SECOND_THOUGHT_MS;
  }

  async #askRestart(): Promise<void> {
    const run = this.#run;
    if (!run || this.#restart.getAttribute("aria-disabled") === "true") return;
    await this.#during(run, "Restart", () => this.session.control(run.job, "restart"));
  }

  async #ask(): Promise<void> {
    const run = this.#run;
    if (run) await this.#during(run, this.#stop.textContent ?? "Stop", () => this.session.stop(run.id, this.#mayForce(run)));
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

function wording(run: Run): string {
  if (run.state === "queued") return "Cancel";
  return run.state === "stopping" ? "Stopping…" : "Stop";
}
