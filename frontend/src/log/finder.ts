import type { LogText, SearchMatch, SearchResult } from "../terminal/types";
import { moved, type Splice } from "./splice";

export interface Query {
  readonly text: string;
  readonly regex: boolean;
  readonly matchCase: boolean;
}

export interface Findings {
  readonly matches: readonly SearchMatch[];
  /** All matches so far, also those beyond what `matches` keeps. */
  readonly total: number;
  /** Every line that there is has been looked at. */
  readonly isComplete: boolean;
  readonly error: string | null;
}

/** Matches kept for going from one to the next. */
const MAX_MATCHES = 20_000;
/** Lines searched in one step: some 10 ms. */
const STEP_LINES = 20_000;

/**
 * Searches a log that grows: frozen lines once, in steps, and the changing tail anew each time.
 */
export class Finder {
  #query: Query | null = null;
  #matches: SearchMatch[] = [];
  #total = 0;
  #next = 0;
  #tail: SearchResult = { matches: [], total: 0 };
  #error: string | null = null;

  constructor(private readonly model: LogText) {}

  setQuery(query: Query | null): void {
    this.#query = query && query.text !== "" ? query : null;
    this.#matches = [];
    this.#total = 0;
    this.#next = this.model.firstLine;
    this.#tail = { matches: [], total: 0 };
    this.#error = null;
  }

  /** Rows have other numbers now; text that was not there before is searched with all the rest. */
  splice(splice: Splice): void {
    if (splice.isFresh) return this.setQuery(this.#query);
    const kept: SearchMatch[] = [];
    for (const match of this.#matches) {
      const line = moved(match.line, splice);
      if (line !== null) kept.push({ ...match, line });
    }
    this.#total -= this.#matches.length - kept.length;
    this.#matches = kept;
    this.#next = moved(this.#next, splice) ?? splice.at + splice.removed;
  }

  /** Searches on for one step; gives whether there is more to do. */
  step(): boolean {
    const query = this.#query;
    if (!query || this.#error !== null) return false;
    this.#dropLost();
    const frozen = this.model.frozenLine;
    if (this.#next < frozen) {
      const to = Math.min(frozen, this.#next + STEP_LINES);
      const room = MAX_MATCHES - this.#matches.length;
      const found = this.#search(query, this.#next, to, Math.max(0, room));
      for (const match of found.matches) this.#matches.push(match);
      this.#total += found.total;
      this.#next = to;
      if (this.#error !== null) return false;
      if (to < frozen) return true;
    }
    this.#tail = this.#search(query, this.#next, this.model.endLine, MAX_MATCHES);
    return false;
  }

  get findings(): Findings {
    const full = this.#total > this.#matches.length;
    return {
      matches: full ? this.#matches : [...this.#matches, ...this.#tail.matches],
      total: this.#total + this.#tail.total,
      isComplete: this.#next >= this.model.frozenLine,
      error: this.#error,
    };
  }

  #search(query: Query, from: number, to: number, limit: number): SearchResult {
    if (from >= to) return { matches: [], total: 0 };
    const result = this.model.search({ ...query, from, to }, limit);
    if (result.error !== undefined) this.#error = result.error;
    return result;
  }

  /** Lines that the cap has dropped take their matches along. */
  #dropLost(): void {
    const first = this.model.firstLine;
    this.#next = Math.max(this.#next, first);
    const kept = this.#matches.findIndex((match) => match.line >= first);
    const lost = kept === -1 ? this.#matches.length : kept;
    if (lost === 0) return;
    this.#matches.splice(0, lost);
    this.#total -= lost;
  }
}
