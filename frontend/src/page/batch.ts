/** A hidden tab draws no frames, but its title must still tell how a run ended. */
const HIDDEN_MS = 1000;

/** Runs a task once for many requests: in the next frame, or a little later in a hidden tab. */
export class Batch {
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly task: () => void) {}

  request(): void {
    if (this.#timer !== undefined) return;
    this.#frame = requestAnimationFrame(() => this.#run());
    this.#timer = setTimeout(() => this.#run(), HIDDEN_MS);
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #run(): void {
    this.dispose();
    this.task();
  }
}
