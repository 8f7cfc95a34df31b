import { Listeners } from "../connection/listeners";
import { isFinal, type Run } from "../connection/protocol";

/** All runs that the page knows of, newest first: what the lists and the panel show. */
export class RunStore {
  readonly onChange = new Listeners<Run | null>();
  readonly #runs = new Map<string, Run>();
  /** How many records had been told when the newest of each run was. */
  readonly #told = new Map<string, number>();
  #moment = 0;
  /** All ids, newest first; null when one has been added since. */
  #order: string[] | null = null;

  get(id: string): Run | undefined {
    return this.#runs.get(id);
  }

  /** Stands for now: to be noted when a list is asked for. */
  get moment(): number {
    return this.#moment;
  }

  /**
   * Takes a newer record of a run, as events and acknowledgements bring it. An older one that arrives late changes
   * nothing; but a lost run goes on when its server turns out to have been away only.
   */
  put(run: Run): void {
    const known = this.#runs.get(run.id);
    if (known && known.state !== "lost" && isStale(run, known)) return;
    this.#moment += 1;
    this.#told.set(run.id, this.#moment);
    this.#set(run);
    this.onChange.emit(run);
  }

  /** Takes a list; what was told of a run since it was `asked` for at that moment may be newer, and stays. */
  putAll(runs: readonly Run[], asked = this.#moment): void {
    for (const run of runs) {
      const known = this.#runs.get(run.id);
      const isOvertaken = (this.#told.get(run.id) ?? 0) > asked && known?.state === run.state;
      if (!known || !(isOvertaken || isStale(run, known))) this.#set(run);
    }
    this.onChange.emit(null);
  }

  /** The newest runs; ids sort by creation. */
  newest(limit: number): Run[] {
    return this.#find(() => true, limit);
  }

  /** The newest run that somebody started of a job. */
  latestOf(job: string, user: string): Run | null {
    return this.#find((run) => run.job === job && run.user === user, 1)[0] ?? null;
  }

  /** The newest run of a job, in a list of at most one. */
  latest(job: string): Run[] {
    return this.#find((run) => run.job === job, 1);
  }

  /** Runs of a job that have not ended, newest first. */
  active(job: string): Run[] {
    return this.#find((run) => run.job === job && !isFinal(run.state), this.#runs.size);
  }

  /** Whose runs there are, or of which jobs, in the order of the alphabet. */
  all(what: "user" | "job"): string[] {
    return [...new Set([...this.#runs.values()].map((run) => run[what]))].sort();
  }

  #set(run: Run): void {
    if (!this.#runs.has(run.id)) this.#order = null;
    this.#runs.set(run.id, run);
  }

  #find(fits: (run: Run) => boolean, limit: number): Run[] {
    this.#order ??= [...this.#runs.keys()].sort().reverse();
    const found: Run[] = [];
    for (const id of this.#order) {
      if (found.length >= limit) break;
      const run = this.#runs.get(id);
      if (run && fits(run)) found.push(run);
    }
    return found;
  }
}

const ORDER: Readonly<Record<Run["state"], number>> = {
  queued: 0,
  running: 1,
  stopping: 2,
  succeeded: 3,
  failed: 3,
  stopped: 3,
  lost: 3,
};

/** A list fetched by HTTP may be older than an event that overtook it: states only go forward. */
function isStale(run: Run, known: Run): boolean {
  return ORDER[run.state] < ORDER[known.state];
}
