import { Listeners } from "../connection/listeners";
import { isFinal, type Run, type RunPage } from "../connection/protocol";
import type { RunQuery } from "./api";
import { ANY_RUN, isSameFilter, matches, type RunFilter } from "./place";
import type { RunStore } from "./runstore";

/** Runs of one request, when the reader asks for more ... */
export const PAGE_RUNS = 50;
/** ... and when what is shown is asked for anew; the server gives no more. */
const MOST_RUNS = 200;
/** Requests for that: who looks at more runs than this sees the newest of them again. */
const MOST_PAGES = 5;
/** Newer than any run: the list has not been loaded yet. */
const NOTHING = "\uffff";

/**
 * The past runs as far as they have been asked for: from the newest down to some run, in one piece. What `status`
 * events tell is in it at once.
 */
export class RunHistory {
  readonly onChange = new Listeners<void>();
  #filter: RunFilter = ANY_RUN;
  #known = new Set<string>();
  /** Runs that were told of since all is being loaded anew: the answer may be older. */
  readonly #told = new Set<string>();
  /** The oldest run that was asked for; null once there are no older ones. */
  #reached: string | null = NOTHING;
  #loading: "all" | "more" | null = null;
  #failure: string | null = null;
  #turn = 0;
  #work: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: RunStore,
    private readonly fetch: (query: RunQuery) => Promise<RunPage>,
  ) {
    store.onChange.add((run) => {
      if (run) {
        this.#known.add(run.id);
        this.#told.add(run.id);
      }
      this.onChange.emit();
    });
  }

  get filter(): RunFilter {
    return this.#filter;
  }

  /** Newest first. One whose state no longer fits the filter is not among them any more. */
  get runs(): Run[] {
    const runs: Run[] = [];
    for (const id of this.#known) {
      const run = this.store.get(id);
      const isReached = this.#reached === null || id >= this.#reached;
      if (run && isReached && matches(this.#filter, run)) runs.push(run);
    }
    return runs.sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** Whether there are older ones, or nothing has been loaded yet. */
  get hasMore(): boolean {
    return this.#reached !== null;
  }

  /** What is being loaded: all anew, or more. */
  get loading(): "all" | "more" | null {
    return this.#loading;
  }

  /** Why the last request failed; null if it did not. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Shows the runs that match. Those of them that are here already show at once. */
  async show(filter: RunFilter): Promise<void> {
    if (isSameFilter(filter, this.#filter) && this.#reached !== NOTHING) return;
    this.#filter = filter;
    await this.#loadAll(NOTHING);
  }

  /** Loads all that is shown anew: something may have been missed. */
  async reload(): Promise<void> {
    if (this.#loading === "more") await this.#work;
    await this.#loadAll(this.#reached);
  }

  async loadMore(): Promise<void> {
    if (this.#loading === "more") return;
    // Perhaps it brings them already.
    const count = this.runs.length;
    if (this.#loading === "all") await this.#work;
    const before = this.#reached;
    if (before === null || this.runs.length > count || this.#loading !== null) return;
    if (before === NOTHING) return this.reload();
    await this.#during("more", async (isCurrent) => {
      const asked = this.store.moment;
      const answer = await this.#ask(before, PAGE_RUNS);
      if (isCurrent()) this.#take(answer.runs, answer.next, asked);
    });
  }

  /** Asks how much the runs under way have printed, which no event tells. Failures wait for the next time. */
  async recount(): Promise<void> {
    if (this.#loading !== null || !this.runs.some((run) => !isFinal(run.state))) return;
    const filter = { ...this.#filter, state: "running" } as const;
    const asked = this.store.moment;
    const answer = await this.fetch({ filter, before: null, limit: MOST_RUNS }).catch(() => null);
    if (answer) this.store.putAll(answer.runs, asked);
  }

  /** @param goal to go down to this run, or one page if it is NOTHING */
  async #loadAll(goal: string | null): Promise<void> {
    this.#told.clear();
    await this.#during("all", async (isCurrent) => {
      const runs: Run[] = [];
      const asked = this.store.moment;
      let before: string | null = null;
      for (let page = 0; page < (goal === NOTHING ? 1 : MOST_PAGES); page += 1) {
        const answer: RunPage = await this.#ask(before, goal === NOTHING ? PAGE_RUNS : MOST_RUNS);
        if (!isCurrent()) return;
        runs.push(...answer.runs);
        before = answer.next;
        if (before === null || (goal !== null && before <= goal)) break;
      }
      this.#known = new Set(this.#told);
      // It ends where it ended before, so that nothing moves.
      const isBeyond = goal !== null && goal !== NOTHING && (before === null || before < goal);
      this.#take(runs, isBeyond ? goal : before, asked);
    });
  }

  #ask(before: string | null, limit: number): Promise<RunPage> {
    return this.fetch({ filter: this.#filter, before, limit });
  }

  #take(runs: readonly Run[], reached: string | null, asked: number): void {
    for (const run of runs) this.#known.add(run.id);
    this.#reached = reached;
    this.store.putAll(runs, asked);
  }

  /** What was being loaded before is given up. */
  #during(what: "all" | "more", load: (isCurrent: () => boolean) => Promise<void>): Promise<void> {
    this.#work = this.#run(what, load);
    return this.#work;
  }

  async #run(what: "all" | "more", load: (isCurrent: () => boolean) => Promise<void>): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    const isCurrent = () => turn === this.#turn;
    this.#loading = what;
    this.#failure = null;
    this.onChange.emit();
    let failure: string | null = null;
    try {
      await load(isCurrent);
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    if (!isCurrent()) return;
    this.#loading = null;
    this.#failure = failure;
    this.onChange.emit();
  }
}
