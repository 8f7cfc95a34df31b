import type { Job, Run, ServiceAction } from "../connection/protocol";
import { detailOf, uselessness } from "./appstate";
import { button, el, setText, setUnavailable } from "./dom";
import type { Session } from "./session";
import { setChip, statusChip } from "./statuschip";

/**
 * One app: a link to it, how it does, Start, Stop and Restart, and its output. What the app prints is
 * shown as the output of a run of its job; there need be none while the app runs.
 */
export class AppCard {
  readonly element = el("section", "job app");
  readonly #chip = statusChip();
  readonly #detail = el("p", "app-detail");
  readonly #actions: Readonly<Record<ServiceAction, HTMLButtonElement>>;
  readonly #output: HTMLButtonElement;
  readonly #error = el("p", "form-error");
  #isAsking = false;

  constructor(
    private readonly session: Session,
    readonly job: Job,
  ) {
    const name = el("h3", "job-title", job.title);
    name.id = `app-${job.name}`;
    this.element.setAttribute("aria-labelledby", name.id);
    // Read out whole: which app it is that has changed.
    const state = el("span", "app-state", el("span", "visually-hidden", `${job.title}: `), this.#chip);
    state.setAttribute("role", "status");
    state.setAttribute("aria-atomic", "true");
    const head = el("div", "job-head", name, state);
    if (job.service?.href) head.append(openLink(job.title, job.service.href));
    this.#actions = {
      start: this.#button("Start", "button primary", () => this.#start()),
      stop: this.#button("Stop", "button danger", () => session.control(job.name, "stop")),
      restart: this.#button("Restart", "button", () => this.#restart()),
    };
    this.#output = this.#button("Output", "button", () => this.#show());
    const { start, stop, restart } = this.#actions;
    const buttons = el("div", "app-buttons", start, stop, restart, this.#output);
    buttons.setAttribute("role", "group");
    buttons.setAttribute("aria-labelledby", name.id);
    this.#error.setAttribute("role", "alert");
    this.#error.hidden = true;
    this.element.append(head, this.#detail, buttons, this.#error);
  }

  update(now: number): void {
    const status = this.session.service(this.job.name);
    if (!status) return;
    setChip(this.#chip, status.state);
    setText(this.#detail, detailOf(status, now));
    this.#detail.hidden = this.#detail.textContent === "";
    const blocked = this.session.blocked ?? (this.#isAsking ? "Asking" : null);
    for (const action of ["start", "stop", "restart"] as const) {
      setUnavailable(this.#actions[action], blocked ?? uselessness(status, action));
    }
    const isStopped = status.state === "stopped";
    const nothing = isStopped && !this.#latestRun ? "It has not been started yet" : null;
    setUnavailable(this.#output, blocked ?? nothing);
    const { selected, runs } = this.session;
    const isShown = selected !== null && runs.get(selected)?.job === this.job.name;
    if (isShown) this.#output.setAttribute("aria-current", "true");
    else this.#output.removeAttribute("aria-current");
  }

  /** The run that shows what the app prints now. */
  get #activeRun(): Run | undefined {
    const isFollowing = (run: Run) => run.state !== "stopping" && this.session.otherUser(run) === "";
    return this.session.runs.active(this.job.name).find(isFollowing);
  }

  get #latestRun(): Run | undefined {
    return this.session.runs.latest(this.job.name)[0];
  }

  async #start(): Promise<void> {
    // A run that shows the app's last attempts shows this one as well.
    if (this.#activeRun) await this.session.control(this.job.name, "start");
    await this.#show(true);
  }

  async #restart(): Promise<void> {
    await this.session.control(this.job.name, "restart");
    await this.#show(true);
  }

  async #show(isRunning = this.session.service(this.job.name)?.state !== "stopped"): Promise<void> {
    const run = this.#activeRun ?? (isRunning ? undefined : this.#latestRun);
    if (run) this.session.select(run.id);
    else await this.session.start(this.job.name, {});
  }

  #button(label: string, className: string, act: () => Promise<void>): HTMLButtonElement {
    const made = button(label, className, () => {
      if (made.getAttribute("aria-disabled") !== "true") void this.#ask(act);
    });
    made.setAttribute("aria-label", `${label} ${label === "Output" ? "of " : ""}${this.job.title}`);
    return made;
  }

  async #ask(act: () => Promise<void>): Promise<void> {
    this.#error.hidden = true;
    this.#isAsking = true;
    this.update(Date.now());
    try {
      await act();
    } catch (error) {
      setText(this.#error, error instanceof Error ? error.message : String(error));
      this.#error.hidden = false;
    } finally {
      this.#isAsking = false;
      this.update(Date.now());
    }
  }
}

function openLink(title: string, href: string): HTMLAnchorElement {
  const link = el("a", "button", "Open");
  link.href = href;
  link.target = "_blank";
  link.rel = "noopener";
  link.setAttribute("aria-label", `Open ${title} in a new tab`);
  return link;
}
