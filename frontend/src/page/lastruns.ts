import type { Run, RunPage } from "../connection/protocol";
import type { RunQuery } from "./api";
import { ANY_RUN } from "./place";
import type { RunStore } from "./runstore";

/** Finds the last run of a job that the page's own user started: among those that are here, or on the server. */
export class LastRuns {
  #hasOlder = true;
  #begin: () => void = () => undefined;
  readonly #begun = new Promise<void>((resolve) => {
    this.#begin = resolve;
  });

  constructor(
    private readonly store: RunStore,
    private readonly user: string,
    private readonly fetch: (query: RunQuery) => Promise<RunPage>,
  ) {}

  /** The newest runs have been loaded; `hasOlder`: the server has more. */
  begin(hasOlder: boolean): void {
    this.#hasOlder = hasOlder;
    this.#begin();
  }

  /**
   * Waits until the newest runs are here, and with asking the server for an older one until `isWanted`: there may be
   * many jobs. Null if there is no such run; throws what the request does.
   */
  async of(job: string, isWanted: Promise<void>): Promise<Run | null> {
    await this.#begun;
    const known = this.store.latestOf(job, this.user);
    if (known || !this.#hasOlder) return known;
    await isWanted;
    const filter = { ...ANY_RUN, job, user: this.user };
    const asked = this.store.moment;
    const { runs } = await this.fetch({ filter, before: null, limit: 1 });
    this.store.putAll(runs, asked);
    return this.store.latestOf(job, this.user);
  }
}
