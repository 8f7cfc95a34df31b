import type { Job } from "../connection/protocol";
import { AppCard } from "./appcard";
import { el } from "./dom";
import type { Session } from "./session";

/** The apps: jobs whose service goes on without a run as well. Hidden while there are none. */
export class AppList {
  readonly element = el("section", "apps-list");
  readonly #cards = el("div", "jobs");
  #appCards: AppCard[] = [];
  #known = "";

  constructor(private readonly session: Session) {
    const heading = el("h2", "heading", "Apps");
    heading.id = "apps-heading";
    this.element.setAttribute("aria-labelledby", heading.id);
    this.element.append(heading, this.#cards);
    this.element.hidden = true;
  }

  /** Takes the apps among `jobs`; cards of the same ones stay, and with them the focus. */
  show(jobs: readonly Job[]): void {
    const apps = jobs.filter((job) => job.service !== null);
    const known = JSON.stringify(apps.map((app) => [app.name, app.title, app.service?.href]));
    if (known === this.#known) return;
    this.#known = known;
    this.#appCards = apps.map((app) => new AppCard(this.session, app));
    this.#cards.replaceChildren(...this.#appCards.map((card) => card.element));
    this.element.hidden = apps.length === 0;
  }

  update(now: number): void {
    for (const card of this.#appCards) card.update(now);
  }
}
