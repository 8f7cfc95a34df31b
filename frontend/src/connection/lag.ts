import { Listeners, type Dispose } from "./listeners";

/** Farther behind the live end than this is worth a word ... */
const FAR_BYTES = 4 * 1024 * 1024;
/** ... until it is nearer than this again. */
const NEAR_BYTES = 1024 * 1024;
/** Output that comes slower than this in a second is followed without falling behind. */
const QUIET_BYTES = 65_536;
const LOOK_MS = 1_000;

/** What the watch needs to know of the log. */
export interface Watched {
  /** Bytes that are shown so far. */
  reached(): number;
  /** Where the output ends; rejects while it cannot be known. */
  end(): Promise<number>;
}

/** Watches how far what is shown is behind what the run has put out. Asks the server only while much comes in. */
export class LagWatch {
  /** Bytes behind; 0 when it is not far. */
  readonly onChange = new Listeners<number>();
  #behind = 0;
  #before = 0;
  #isAsking = false;
  readonly #stop: Dispose;

  constructor(
    private readonly watched: Watched,
    every: (ms: number, task: () => void) => Dispose = everyInterval,
  ) {
    this.#stop = every(LOOK_MS, () => void this.look());
  }

  dispose(): void {
    this.#stop();
  }

  /** What was left out need not be caught up with. */
  reset(): void {
    this.#tell(0);
  }

  /** Looks once. */
  async look(): Promise<void> {
    const reached = this.watched.reached();
    const came = reached - this.#before;
    this.#before = reached;
    if (this.#isAsking || (came < QUIET_BYTES && this.#behind === 0)) return;
    this.#isAsking = true;
    try {
      const end = await this.watched.end();
      this.#tell(end - this.watched.reached());
    } catch {
      // Not connected, or a server that cannot say: what is known stays.
    } finally {
      this.#isAsking = false;
    }
  }

  #tell(bytes: number): void {
    const isFar = bytes > (this.#behind > 0 ? NEAR_BYTES : FAR_BYTES);
    const behind = isFar ? bytes : 0;
    if (behind === this.#behind) return;
    this.#behind = behind;
    this.onChange.emit(behind);
  }
}

function everyInterval(ms: number, task: () => void): Dispose {
  const timer = setInterval(task, ms);
  return () => clearInterval(timer);
}
