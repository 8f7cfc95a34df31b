import { Listeners } from "../connection/listeners";
import type { FoundLine, SearchAnswer } from "../connection/protocol";
import type { Query } from "../log/finder";
import { ApiError, type SearchQuery } from "./api";

/** So many lines are found, then the reader is asked whether to go on. */
export const ROUND_LINES = 100;

/** The server's code for a regular expression that is none. */
const BAD_PATTERN = "bad_pattern";

/** One request to the server; throws an Error with a message for people. */
export type Ask = (query: SearchQuery, signal: AbortSignal) => Promise<SearchAnswer>;

/** Searches the whole output of a run, on the server: a round of requests at a time, from its beginning on. */
export class ServerSearch {
  readonly onChange = new Listeners<void>();
  #query: Query | null = null;
  #lines: FoundLine[] = [];
  /** All before this byte has been looked at ... */
  #reached = 0;
  /** ... and here the output ended then. */
  #end = 0;
  #failure: string | null = null;
  #isHopeless = false;
  #round: AbortController | null = null;

  constructor(private readonly ask: Ask) {}

  get query(): Query | null {
    return this.#query;
  }

  get lines(): readonly FoundLine[] {
    return this.#lines;
  }

  get reached(): number {
    return this.#reached;
  }

  get end(): number {
    return this.#end;
  }

  get isBusy(): boolean {
    return this.#round !== null;
  }

  /** Why the last request failed, in the server's words; null if it did not. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Whether it can be searched on: there is more, or it may go better another time. */
  canGoOn(end: number): boolean {
    if (this.#query === null || this.#isHopeless) return false;
    return this.#failure !== null || this.#reached < Math.max(this.#end, end);
  }

  /** Forgets what was found, and searches for something else; null for nothing. */
  async start(query: Query | null): Promise<void> {
    this.#round?.abort();
    this.#round = null;
    this.#query = query && query.text !== "" ? query : null;
    this.#lines = [];
    this.#reached = 0;
    this.#end = 0;
    this.#failure = null;
    this.#isHopeless = false;
    if (this.#query === null) this.onChange.emit();
    else await this.goOn();
  }

  /** Searches on where it has ended: for more lines, or in what has been printed since. */
  async goOn(): Promise<void> {
    const query = this.#query;
    if (query === null || this.#round !== null) return;
    const round = new AbortController();
    this.#round = round;
    this.#failure = null;
    this.onChange.emit();
    let failure: unknown = null;
    try {
      await this.#searchOn(query, round.signal);
    } catch (error) {
      failure = error;
    }
    if (round.signal.aborted) return;
    this.#round = null;
    if (failure !== null) this.#failure = failure instanceof Error ? failure.message : String(failure);
    this.#isHopeless = failure instanceof ApiError && failure.code === BAD_PATTERN;
    this.onChange.emit();
  }

  /** Stops where it is; what was found stays, and it can be searched on. */
  stop(): void {
    this.#round?.abort();
    this.#round = null;
    this.onChange.emit();
  }

  async #searchOn(query: Query, signal: AbortSignal): Promise<void> {
    for (let room = ROUND_LINES; room > 0; ) {
      const answer = await this.ask({ ...query, after: this.#reached, limit: room }, signal);
      if (signal.aborted) return;
      room -= answer.matches.length;
      for (const line of answer.matches) this.#add(line);
      this.#reached = answer.next ?? answer.end;
      this.#end = answer.end;
      if (answer.next === null) return;
      this.onChange.emit();
      if (signal.aborted) return;
    }
  }

  /** A last line that was not complete comes again when it is searched on. */
  #add(line: FoundLine): void {
    if (this.#lines.at(-1)?.line === line.line) this.#lines.pop();
    this.#lines.push(line);
  }
}
