import { Connection } from "../connection/client";
import { Listeners } from "../connection/listeners";
import {
  ClientEvent,
  type Job,
  type Run,
  type ServiceAction,
  type ServiceStatus,
} from "../connection/protocol";
import { readJobs, readRunOf } from "../connection/reading";
import { readReport, type Report } from "../connection/report";
import { fetchRuns } from "./api";
import type { PageConfig } from "./config";
import type { Notices } from "./notices";
import { addressOf, ANY_RUN, placeOf, type Place } from "./place";
import { LastRuns } from "./lastruns";
import { RunStore } from "./runstore";
import { Uploads } from "./uploads";

const RECENT_RUNS = 50;

/** A wish to start a run like another, by way of the job's form. */
export interface FormWish {
  readonly run: Run;
  /** Fields that have to be filled in. */
  readonly missing: readonly string[];
  /** Why it was not started at once; empty if that was not tried. */
  readonly message: string;
}

/** What the parts of the page share: the connection, the runs, the jobs, and what is shown. */
export class Session {
  readonly connection: Connection;
  readonly runs = new RunStore();
  readonly onJobs = new Listeners<readonly Job[]>();
  readonly onPlace = new Listeners<Place>();
  readonly onForm = new Listeners<FormWish>();
  readonly uploads: Uploads;
  readonly lastRuns: LastRuns;
  /** The service of this job changed its state. */
  readonly onService = new Listeners<string>();
  #jobs: readonly Job[] = [];
  readonly #services = new Map<string, ServiceStatus>();
  #place: Place = { kind: "start" };

  constructor(
    readonly config: PageConfig,
    readonly notices: Notices,
  ) {
    this.connection = new Connection(config.socketPath, config.user);
    this.uploads = new Uploads(config.apiBase, config.csrfToken);
    this.lastRuns = new LastRuns(this.runs, config.user, (query) => fetchRuns(config.apiBase, query));
    this.connection.onRun.add((run) => this.runs.put(run));
    this.connection.onNotice.add((notice) => notices.apply(notice));
    this.connection.onService.add(({ job, status }) => {
      this.#services.set(job, status);
      this.onService.emit(job);
    });
    this.connection.onFault.add((fault) => notices.show("fault", fault.message, "error"));
    this.connection.onState.add((state) => {
      if (state.kind === "connected") void this.#refresh();
      else notices.clear();
      if (state.kind === "loggedOut") this.#offerLogin();
    });
    window.addEventListener("pagehide", ({ persisted }) => {
      if (!persisted) this.uploads.leave();
    });
    window.addEventListener("popstate", () => {
      const place = placeOf(location, config.pageBase);
      // Going to another line of the same run is none of ours.
      if (!this.#isAt(place)) this.#show(place);
    });
  }

  get place(): Place {
    return this.#place;
  }

  /** The run that is shown. */
  get selected(): string | null {
    return this.#place.kind === "run" ? this.#place.run : null;
  }

  get jobs(): readonly Job[] {
    return this.#jobs;
  }

  get isConnected(): boolean {
    return this.connection.state.kind === "connected";
  }

  /** Why nothing can be started or stopped just now, or null. */
  get blocked(): string | null {
    return this.isConnected ? null : "Not connected to the server";
  }

  /** Whose run it is, for a page that shows it; nothing when it is the page's own user. */
  otherUser(run: Run): string {
    return run.user === this.config.user ? "" : run.user;
  }

  job(name: string): Job | null {
    return this.#jobs.find((job) => job.name === name) ?? null;
  }

  jobTitle(name: string): string {
    return this.job(name)?.title ?? name;
  }

  /** Shows a run, and puts it into the address bar. */
  select(run: string): void {
    this.go({ kind: "run", run });
  }

  /** Shows something, and puts it into the address bar. */
  go(place: Place): void {
    if (this.#isAt(place)) return;
    history.pushState(null, "", addressOf(place, this.config.pageBase));
    this.#show(place);
  }

  /** Shows what the address says, and connects. */
  open(): void {
    this.#show(placeOf(location, this.config.pageBase));
    this.connection.open();
  }

  /** Throws RequestError. */
  async start(job: string, params: Record<string, unknown>): Promise<Run> {
    const run = readRunOf(await this.connection.request(ClientEvent.start, { job, params }));
    this.runs.put(run);
    this.select(run.id);
    return run;
  }

  /** Throws RequestError. */
  async stop(run: string, force: boolean): Promise<void> {
    this.runs.put(readRunOf(await this.connection.request(ClientEvent.stop, { run, force })));
  }

  /** Gives a run `data` to read, as it is; with `eof` that is all. Throws RequestError. */
  async input(run: string, data: string, eof: boolean): Promise<void> {
    await this.connection.request(ClientEvent.input, { run, data, eof });
  }

  /** What a running run does now; takes some seconds at most. Throws RequestError. */
  async report(run: string): Promise<Report> {
    return readReport(await this.connection.request(ClientEvent.report, { run }));
  }

  /** How the service of a job does, as far as the page knows. */
  service(job: string): ServiceStatus | null {
    return this.#services.get(job) ?? null;
  }

  /** Throws RequestError. */
  async control(job: string, action: ServiceAction): Promise<void> {
    // What comes of it is told by `service` events.
    await this.connection.request(ClientEvent.control, { job, action });
  }

  #offerLogin(): void {
    const message = "You are not logged in any more.";
    this.notices.show("logged-out", message, "warning", { text: "Log in", href: location.href });
  }

  #isAt(place: Place): boolean {
    return addressOf(place, this.config.pageBase) === addressOf(this.#place, this.config.pageBase);
  }

  #show(place: Place): void {
    this.#place = place;
    this.onPlace.emit(place);
  }

  async #refresh(): Promise<void> {
    await Promise.all([
      this.#load("jobs", async () => {
        this.#jobs = readJobs(await this.connection.request(ClientEvent.jobs, {}));
        for (const { name, service } of this.#jobs) if (service) this.#services.set(name, service);
        this.onJobs.emit(this.#jobs);
      }),
      this.#load("runs", async () => {
        const asked = this.runs.moment;
        const newest = { filter: ANY_RUN, before: null, limit: RECENT_RUNS };
        const { runs, next } = await fetchRuns(this.config.apiBase, newest);
        this.runs.putAll(runs, asked);
        this.lastRuns.begin(next !== null);
      }),
    ]);
  }

  async #load(what: string, load: () => Promise<void>): Promise<void> {
    const code = `load-${what}`;
    try {
      await load();
      this.notices.remove(code);
    } catch (error) {
      if (!this.isConnected) return; // It is loaded anew with the next connection.
      const said = error instanceof Error ? error.message : String(error);
      this.notices.show(code, `The list of ${what} could not be loaded: ${said}`, "error");
    }
  }
}
