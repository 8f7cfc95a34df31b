import { isFinal, RequestError, type Run } from "../connection/protocol";
import { button, setUnavailable } from "./dom";
import { again } from "./lastvalues";
import type { Session } from "./session";

/**
 * Starts a run with the parameters of an earlier one. Where some have to be given anew, or the job takes others now,
 * its form opens instead.
 */
export async function runAgain(session: Session, run: Run): Promise<void> {
  const job = session.job(run.job);
  if (!job) return;
  const { params, missing } = again(job.parameters, run.params);
  if (missing.length > 0) {
    session.onForm.emit({ run, missing, message: "" });
    return;
  }
  const code = `again-${run.job}`;
  try {
    await session.start(run.job, { ...params });
    session.notices.remove(code);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    if (error instanceof RequestError && error.code === "bad_parameters") {
      session.onForm.emit({ run, missing, message: said });
    } else {
      session.notices.show(code, `${job.title} was not started again: ${said}`, "error");
    }
  }
}

/** The button that starts a run again; it is there once the run has ended, and its job can be started by hand. */
export class AgainButton {
  readonly element: HTMLButtonElement;
  #run: Run | null = null;
  #isStarting = false;

  /** `isSmall`: a sign stands for its name. */
  constructor(
    private readonly session: Session,
    isSmall = false,
  ) {
    this.element = button(isSmall ? "↻" : "Run again", "button again", () => void this.#start());
    if (isSmall) this.element.setAttribute("aria-label", "Run again");
    this.element.hidden = true;
  }

  /** `run` is the run that is shown, or null. */
  update(run: Run | null): void {
    this.#run = run;
    const job = run === null ? null : this.session.job(run.job);
    this.element.hidden = run === null || !isFinal(run.state) || job === null || job.service !== null;
    const reason = this.session.blocked ?? (this.#isStarting ? "Starting" : null);
    setUnavailable(this.element, reason);
    if (reason === null) this.element.title = "Run again with the same parameters";
  }

  async #start(): Promise<void> {
    const run = this.#run;
    if (!run || this.#isStarting || this.session.blocked !== null) return;
    this.#isStarting = true;
    this.update(run);
    try {
      await runAgain(this.session, run);
    } finally {
      this.#isStarting = false;
      this.update(this.#run);
    }
  }
}
