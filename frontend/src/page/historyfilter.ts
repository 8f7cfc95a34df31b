import type { Job } from "../connection/protocol";
import { RUN_STATES } from "../connection/protocol";
import { button, el } from "./dom";
import { ANY_RUN, isSameFilter, type RunFilter } from "./place";

/** What can be chosen from. */
export interface FilterChoices {
  readonly jobs: readonly Pick<Job, "name" | "title">[];
  readonly users: readonly string[];
}

/** The choices over the past runs: job, state, and user where there are several. */
export class HistoryFilter {
  readonly element = el("div", "history-filter");
  readonly #job = el("select", "input");
  readonly #state = el("select", "input");
  readonly #user = el("select", "input");
  readonly #userField: HTMLElement;
  readonly #clear: HTMLButtonElement;
  #offered = "";

  constructor(choose: (filter: RunFilter) => void) {
    this.element.setAttribute("role", "search");
    this.element.setAttribute("aria-label", "Filter the runs");
    this.#userField = field("User", this.#user);
    this.#clear = button("Show all", "button quiet history-clear", () => {
      choose(ANY_RUN);
      this.#job.focus();
    });
    for (const select of [this.#job, this.#state, this.#user]) {
      select.addEventListener("change", () => choose(this.#chosen));
    }
    offer(this.#state, "Any state", RUN_STATES.map((state) => ({ name: state, title: state })));
    this.element.append(field("Job", this.#job), field("State", this.#state), this.#userField, this.#clear);
  }

  /** What is filtered for can be chosen in any case, also if no run or job has it any more. */
  update(filter: RunFilter, { jobs, users }: FilterChoices): void {
    const offered = JSON.stringify([jobs, users, filter.job, filter.user]);
    if (offered !== this.#offered) {
      this.#offered = offered;
      const unknown = filter.job === "" || jobs.some((job) => job.name === filter.job) ? [] : [filter.job];
      offer(this.#job, "All jobs", [...jobs, ...unknown.map(named)]);
      const all = filter.user === "" || users.includes(filter.user) ? users : [...users, filter.user];
      offer(this.#user, "All users", all.map(named));
      this.#userField.hidden = all.length < 2;
    }
    this.#job.value = filter.job;
    this.#state.value = filter.state;
    this.#user.value = filter.user;
    // Its place is kept: nothing should move when a filter is chosen.
    this.#clear.classList.toggle("is-absent", isSameFilter(filter, ANY_RUN));
  }

  get #chosen(): RunFilter {
    const state = RUN_STATES.find((each) => each === this.#state.value) ?? "";
    return { job: this.#job.value, state, user: this.#user.value };
  }
}

function named(name: string): { name: string; title: string } {
  return { name, title: name };
}

function field(label: string, select: HTMLSelectElement): HTMLElement {
  return el("label", "history-field", el("span", "", label), select);
}

function offer(select: HTMLSelectElement, any: string, choices: readonly { name: string; title: string }[]): void {
  select.replaceChildren(
    ...[{ name: "", title: any }, ...choices].map(({ name, title }) => {
      const option = el("option", "", title);
      option.value = name;
      return option;
    }),
  );
}
