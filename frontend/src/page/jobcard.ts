import type { Job } from "../connection/protocol";
import { el, setDisabled, setText } from "./dom";
import { ParameterForm } from "./parameterform";
import { RunList } from "./runrow";
import type { Session } from "./session";

/** Runs shown beneath a job: those under way, or else the last one. */
const MAX_RUNS = 5;

/** One job: what it does, its parameters, Start, and its runs. */
export class JobCard {
  readonly element: HTMLElement;
  readonly #form: ParameterForm;
  readonly #start: HTMLButtonElement;
  readonly #error = el("p", "form-error");
  readonly #runs: RunList;
  #isStarting = false;

  constructor(
    private readonly session: Session,
    readonly job: Job,
  ) {
    this.#form = new ParameterForm(job.parameters, `job-${job.name}`);
    this.#start = el("button", "button primary", "Start");
    this.#start.type = "submit";
    this.#start.setAttribute("aria-label", `Start ${job.title}`);
    this.#error.setAttribute("role", "alert");
    this.#error.hidden = true;
    this.#runs = new RunList(session, { withStop: true, withJob: false });
    const head = el("div", "job-head", el("h3", "job-title", job.title), this.#start);
    const form = el("form", "job-form", head);
    if (job.description) form.append(description(job.description));
    if (!this.#form.isEmpty) form.append(this.#form.element);
    form.append(this.#error);
    form.noValidate = true;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
    this.element = el("section", "job", form, this.#runs.element);
  }

  update(now: number): void {
    setDisabled(this.#start, this.session.blocked ?? (this.#isStarting ? "Starting" : null));
    const active = this.session.runs.active(this.job.name).slice(0, MAX_RUNS);
    this.#runs.show(active.length > 0 ? active : this.session.runs.latest(this.job.name), now);
  }

  async #submit(): Promise<void> {
    if (this.#isStarting || this.session.blocked !== null) return;
    this.#error.hidden = true;
    try {
      const params = this.#form.values();
      this.#isStarting = true;
      this.update(Date.now());
      await this.session.start(this.job.name, params);
    } catch (error) {
      setText(this.#error, error instanceof Error ? error.message : String(error));
      this.#error.hidden = false;
    } finally {
      this.#isStarting = false;
      this.update(Date.now());
    }
  }
}

/** The first paragraph, and the rest on demand. */
function description(text: string): HTMLElement {
  const [first = "", ...rest] = text.split(/\n\s*\n/);
  const summary = el("p", "job-description", first.replace(/\s*\n\s*/g, " "));
  if (rest.length === 0) return summary;
  const more = el("details", "job-more", el("summary", "", "More"));
  more.append(el("p", "job-description is-long", rest.join("\n\n")));
  return el("div", "", summary, more);
}
