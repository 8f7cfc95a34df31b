import { RequestError, type Job } from "../connection/protocol";
import { el, setDisabled, setText, setUnavailable } from "./dom";
import { jobText } from "./jobwords";
import { CHOSEN_RUN, LAST_RUN, ParameterForm } from "./parameterform";
import { RunList } from "./runrow";
import type { FormWish, Session } from "./session";

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
  /** The last run's values have come, or are not wanted any more. */
  #hasLast = false;

  constructor(
    private readonly session: Session,
    readonly job: Job,
  ) {
    const id = `job-${job.name}`;
    this.#form = new ParameterForm(job.parameters, id, session.uploads, () => this.update(Date.now()));
    this.#start = el("button", "button primary", "Start");
    this.#start.type = "submit";
    this.#start.setAttribute("aria-label", `Start ${job.title}`);
    this.#error.setAttribute("role", "alert");
    this.#error.hidden = true;
    this.#runs = new RunList(session, { withStop: true, withJob: false });
    const head = el("div", "job-head", el("h3", "job-title", job.title), this.#start);
    const form = el("form", "job-form", head);
    if (job.description) form.append(description(job.description));
    const facts = jobText(job);
    if (facts !== "") form.append(el("p", "job-facts", facts));
    if (!this.#form.isEmpty) form.append(this.#form.element);
    form.append(this.#error);
    form.noValidate = true;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
    this.element = el("section", "job", form, this.#runs.element);
    if (!this.#form.isEmpty) void this.#offerLast();
  }

  update(now: number): void {
    const busy = this.#isStarting ? "Starting" : this.#form.isSending ? "A file is being sent" : null;
    const { blocked } = this.session;
    setDisabled(this.#start, blocked);
    // Busy, it keeps the focus: whoever has just pressed it goes on from there.
    if (blocked === null) setUnavailable(this.#start, busy);
    const active = this.session.runs.active(this.job.name).slice(0, MAX_RUNS);
    this.#runs.show(active.length > 0 ? active : this.session.runs.latest(this.job.name), now);
  }

  get isTouched(): boolean {
    return this.#form.isTouched;
  }

  /** Takes over what was entered in the card that stood for this job before. */
  takeFrom(other: JobCard): void {
    this.#form.takeFrom(other.#form);
    this.#hasLast = true;
  }

  /** Shows the parameters of a run, and goes to what has to be given. */
  open({ run, missing, message }: FormWish): void {
    this.#hasLast = true;
    this.#form.fill(run.params, CHOSEN_RUN);
    this.#tell(message);
    this.element.scrollIntoView({ block: "nearest" });
    const [first] = missing;
    if (first !== undefined) this.#form.focus(first);
    else if (message !== "") this.#blame(message);
    else this.#start.focus();
  }

  async #offerLast(): Promise<void> {
    try {
      const run = await this.session.lastRuns.of(this.job.name, firstSeen(this.element));
      // Whoever has begun to type goes on undisturbed.
      if (run && !this.#hasLast && !this.#form.isTouched) this.#form.fill(run.params, LAST_RUN);
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      this.session.notices.remark(`${this.job.title}: its last values could not be loaded: ${said}`);
    }
    this.#hasLast = true;
  }

  async #submit(): Promise<void> {
    if (this.#isStarting || this.#form.isSending || this.session.blocked !== null) return;
    this.#tell("");
    const params = this.#form.values();
    if (params === null) return;
    this.#isStarting = true;
    this.update(Date.now());
    try {
      await this.session.start(this.job.name, params);
      this.#form.taken();
      this.#hasLast = true;
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      this.#tell(said);
      if (error instanceof RequestError && error.code === "bad_parameters") this.#blame(said);
    } finally {
      this.#isStarting = false;
      this.update(Date.now());
    }
  }

  #tell(message: string): void {
    setText(this.#error, message);
    this.#error.hidden = message === "";
    if (message !== "") this.#error.scrollIntoView({ block: "nearest" });
  }

  /** Marks the fields that the server's message begins its parts with. */
  #blame(message: string): void {
    const begins = message.split("; ").map((part) => part.split(/[ :]/, 1)[0]);
    const named = this.#form.fields.filter(({ name }) => begins.includes(name));
    this.#form.blame(named.map(({ name }) => name));
  }
}

/** When the element is first scrolled into view. */
function firstSeen(element: HTMLElement): Promise<void> {
  return new Promise((resolve) => {
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      resolve();
    });
    observer.observe(element);
  });
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
