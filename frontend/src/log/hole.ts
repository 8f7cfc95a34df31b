import type { Line, Missing } from "../terminal/types";
import type { Mark } from "./mark";

/** Output that is not here, between `start` and `end`: one row of the log. */
export class Hole {
  readonly rows = 1;
  #line: Line | null = null;
  #start: Mark;
  #end: Mark;
  #isLoading = false;
  #failure = "";

  /** @param isGone the server does not keep it any more */
  constructor(start: Mark, end: Mark, readonly isGone: boolean) {
    this.#start = start;
    this.#end = end;
  }

  get start(): Mark {
    return this.#start;
  }

  get end(): Mark {
    return this.#end;
  }

  get bytes(): number {
    return this.#end.offset - this.#start.offset;
  }

  get isLoading(): boolean {
    return this.#isLoading;
  }

  setStart(start: Mark): void {
    this.#start = start;
    this.#line = null;
  }

  setEnd(end: Mark): void {
    this.#end = end;
    this.#line = null;
  }

  loading(): void {
    this.#isLoading = true;
    this.#failure = "";
    this.#line = null;
  }

  /** @param failure why it could not be loaded; empty when it could */
  loaded(failure = ""): void {
    this.#isLoading = false;
    this.#failure = failure;
    this.#line = null;
  }

  /** The row; the same object until something changes. */
  line(hasBefore: boolean, hasAfter: boolean): Line {
    const shown = this.#line?.missing;
    if (this.#line && shown?.hasBefore === hasBefore && shown.hasAfter === hasAfter) return this.#line;
    const missing: Missing = {
      bytes: this.bytes,
      firstNumber: this.#start.line,
      // it ends where a line begins, nearly always
      lastNumber: Math.max(this.#start.line, this.#end.line - 1),
      isGone: this.isGone,
      hasBefore,
      hasAfter,
      isLoading: this.#isLoading,
      failure: this.#failure,
    };
    return (this.#line = { text: "", spans: [], time: 0, stream: 1, number: this.#start.line, missing });
  }
}

/** What stands in copied text for output that is not here. */
export function missingText({ bytes, isGone }: Missing): string {
  return `[${bytes} bytes of output are ${isGone ? "no longer kept" : "not loaded"} here]`;
}
