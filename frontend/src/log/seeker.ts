import type { Loader } from "./loader";
import type { RunLog } from "./runlog";

/** What a seeker needs beside the log. */
export interface SeekerHost {
  /** Whether the server can be asked. */
  readonly canAsk: () => boolean;
  /** The line is in this row. */
  readonly found: (row: number) => void;
  /** It cannot be shown; `reason` is for people. */
  readonly failed: (reason: string) => void;
}

/** Brings a line of the output to the reader, wherever it is: loads it, or waits until it has arrived. */
export class Seeker {
  #wanted: number | null = null;
  #isBusy = false;
  /** The server has said that the line is there, so it will come. */
  #isComing = false;

  constructor(
    private readonly log: RunLog,
    private readonly loader: Loader,
    private readonly host: SeekerHost,
  ) {}

  /** @param number of the line; what was sought before is given up */
  seek(number: number): void {
    this.#wanted = number;
    this.#isComing = false;
    void this.changed();
  }

  cancel(): void {
    this.#wanted = null;
  }

  /** The log has changed, or the connection is there: perhaps the line is now. */
  async changed(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted === null || this.#isBusy) return;
    const found = this.log.find(wanted);
    if (found.kind === "row") return this.#found(found.row);
    if (!this.host.canAsk() || (found.kind === "beyond" && this.#isComing)) return;
    this.#isBusy = true;
    let failure: string | null = null;
    try {
      if (found.kind === "hole") await this.loader.open(wanted);
      else await this.loader.check(wanted);
      this.#isComing = true;
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    this.#isBusy = false;
    // another one may be sought by now, or it has come, or turned out to be in a hole
    if (wanted !== this.#wanted || this.log.find(wanted).kind !== found.kind) return this.changed();
    if (failure === null && found.kind === "beyond") return;
    this.#wanted = null;
    this.host.failed(failure ?? `Line ${wanted} could not be loaded.`);
  }

  #found(row: number): void {
    this.#wanted = null;
    this.host.found(row);
  }
}
