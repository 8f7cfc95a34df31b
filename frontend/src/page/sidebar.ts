import type { Job } from "../connection/protocol";
import { AppList } from "./apps";
import { Batch } from "./batch";
import { button, el } from "./dom";
import { JobCard } from "./jobcard";
import { ANY_RUN } from "./place";
import { leadTo } from "./placelink";
import { RunList } from "./runrow";
import type { Session } from "./session";

const SHOWN_RUNS = 20;
const TICK_MS = 1000;

/** The jobs and the recent runs. On a narrow screen it folds into one bar above the output. */
export class Sidebar {
  readonly element = el("aside", "sidebar");
  readonly #cards = el("div", "jobs");
  readonly #apps: AppList;
  readonly #recent: RunList;
  readonly #recentEmpty = el("p", "empty", "Nothing has run yet. Press Start on a job.");
  readonly #all = el("a", "headings-link", "All runs");
  readonly #fold: HTMLButtonElement;
  #jobCards: JobCard[] = [];
  readonly #redraw = new Batch(() => this.#update());

  constructor(private readonly session: Session) {
    this.#apps = new AppList(session);
    this.#recent = new RunList(session, { withStop: false, withJob: true });
    leadTo(this.#all, session, { kind: "history", filter: ANY_RUN });
    this.#fold = button("Jobs and runs", "button fold", () => this.#setFolded(!this.#isFolded));
    const body = el(
      "div",
      "sidebar-body",
      el("div", "headings", el("h2", "heading", "Jobs"), session.notices.jobFaults.button),
      this.#cards,
      this.#apps.element,
      el("div", "headings", el("h2", "heading", "Recent runs"), this.#all),
      this.#recentEmpty,
      this.#recent.element,
    );
    body.id = "sidebar-body";
    this.#fold.setAttribute("aria-controls", body.id);
    this.element.append(this.#fold, body);
    this.#cards.append(el("p", "empty", "Waiting for the server…"));
    session.onJobs.add((jobs) => {
      this.#showJobs(jobs.filter((job) => job.service === null));
      this.#apps.show(jobs);
    });
    session.onForm.add((wish) => {
      this.#setFolded(false);
      this.#jobCards.find((card) => card.job.name === wish.run.job)?.open(wish);
    });
    session.onService.add(() => this.#redraw.request());
    session.runs.onChange.add(() => this.#redraw.request());
    session.connection.onState.add(() => this.#redraw.request());
    session.onPlace.add(({ kind }) => {
      this.#setFolded(kind !== "start");
      if (kind === "history") this.#all.setAttribute("aria-current", "page");
      else this.#all.removeAttribute("aria-current");
      this.#redraw.request();
    });
    this.#setFolded(false);
    setInterval(() => this.#redraw.request(), TICK_MS);
  }

  get #isFolded(): boolean {
    return this.element.classList.contains("is-folded");
  }

  /** Matters on narrow screens only. */
  #setFolded(folded: boolean): void {
    this.element.classList.toggle("is-folded", folded);
    this.#fold.setAttribute("aria-expanded", String(!folded));
  }

  #showJobs(jobs: readonly Job[]): void {
    // The same jobs again (after a reconnect): keep the forms, with what was typed into them.
    const known = JSON.stringify(this.#jobCards.map((card) => card.job));
    if (this.#jobCards.length > 0 && known === JSON.stringify(jobs)) return;
    this.#jobCards = jobs.map((job) => this.#cardOf(job));
    this.#cards.replaceChildren(...this.#jobCards.map((card) => card.element));
    if (jobs.length === 0) this.#cards.append(noJobs());
    this.#redraw.request();
  }

  /** A job that is as it was keeps its card; one that has changed keeps what was entered. */
  #cardOf(job: Job): JobCard {
    const before = this.#jobCards.find((card) => card.job.name === job.name);
    if (before && JSON.stringify(before.job) === JSON.stringify(job)) return before;
    const card = new JobCard(this.session, job);
    if (before?.isTouched) card.takeFrom(before);
    return card;
  }

  #update(): void {
    const now = Date.now();
    for (const card of this.#jobCards) card.update(now);
    this.#apps.update(now);
    const runs = this.session.runs.newest(SHOWN_RUNS);
    this.#recent.show(runs, now);
    this.#recentEmpty.hidden = runs.length > 0;
  }
}

function noJobs(): HTMLElement {
  const code = el(
    "pre",
    "snippet",
    "from flask_realtime import job\n\n@job\ndef hello(running):\n    print(\"Hello\")",
  );
  return el(
    "div",
    "empty",
    "There are no jobs yet. Put this into a .py file of the jobs folder and restart the server:",
    code,
  );
}
