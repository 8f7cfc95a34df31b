import type { Connection, OutputArrival } from "./client";
import { Cursor } from "./cursor";
import { Listeners, type Dispose } from "./listeners";
import { ClientEvent, isFinal, LocalError, RequestError, type Gap, type Output, type Run } from "./protocol";
import { readAttached } from "./reading";

/** Where the output goes. `write` calls `done` once the bytes are in the model. */
export interface OutputSink {
  write(piece: OutputPiece, done: () => void): void;
  /** What is before byte `next` is no longer kept; `line` is the number of the line that it lies in. */
  gap(next: number, line: number | null): void;
  /** Output goes on at byte `next`: what is before it was not asked for. */
  skipped(next: number, line: number | null): void;
  /** Forget everything: output begins anew. */
  reset(): void;
}

/** Bytes that follow those before; `line` is the number of the line of the first, null where it is not told. */
export type OutputPiece = Pick<Output, "data" | "stream" | "time" | "line">;

export type AttachmentEvent =
  /** Attached; `resumed` when the output goes on exactly where a lost connection had left it. */
  | { readonly kind: "attached"; readonly resumed: boolean; readonly run: Run }
  /** What the page had does not match what the server keeps; shown anew from the start. */
  | { readonly kind: "restarted" }
  | { readonly kind: "failed"; readonly error: RequestError };

/** Re-attaching more often than this without a byte taken between means that it cannot succeed. */
const MAX_FRUITLESS_ATTEMPTS = 4;

/**
 * One run that is being watched: attaches, takes its output in order and exactly once into the
 * sink, and after a lost connection goes on at the byte that it had reached.
 */
export class Attachment {
  readonly onEvent = new Listeners<AttachmentEvent>();
  readonly onProgress = new Listeners<number>();

  readonly #cursor = new Cursor();
  readonly #disposals: Dispose[];
  #attempt = 0;
  #pending = false;
  /** What came beyond the cursor while an attach was under way: its own output may overtake the acknowledgement. */
  #early: (OutputArrival | Gap)[] = [];
  #fruitless = 0;
  #everAttached = false;
  #isOver = false;
  #disposed = false;
  /** Until an attach is acknowledged: ask only for this many last bytes. */
  #tailBytes: number | null;

  constructor(
    private readonly connection: Connection,
    readonly runId: string,
    private readonly sink: OutputSink,
    private readonly firstTailBytes: number | null = null,
  ) {
    this.#tailBytes = firstTailBytes;
    this.#disposals = [
      connection.onOutput.add((arrival) => this.#output(arrival)),
      connection.onGap.add((gap) => this.#gap(gap)),
      connection.onRun.add((run) => this.#told(run)),
      connection.onState.add((state) => {
        if (state.kind === "connected") void this.#attach(this.#everAttached);
        else this.#settle();
      }),
    ];
    if (connection.state.kind === "connected") void this.#attach();
  }

  /** Bytes of the run's output that have been taken, or are known to be gone. */
  get offset(): number {
    return this.#cursor.offset;
  }

  /** Leaves out what is before the last `tailBytes` of the output, if that has not arrived yet. */
  jumpToLive(tailBytes: number): void {
    this.#tailBytes = tailBytes;
    if (this.connection.state.kind === "connected") void this.#attach();
  }

  /** Shows the output anew. */
  restart(): void {
    this.#tailBytes = this.firstTailBytes;
    this.#cursor.moveTo(0);
    this.sink.reset();
    if (this.connection.state.kind === "connected") void this.#attach();
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const dispose of this.#disposals) dispose();
    if (this.connection.state.kind !== "connected") return;
    this.connection.request(ClientEvent.detach, { run: this.runId }).catch((error: unknown) => {
      // A connection lost meanwhile has detached as well; anything else is worth knowing.
      if (error instanceof RequestError && error.code === LocalError.timeout) return;
      console.warn("detach failed", error);
    });
  }

  async #attach(resumes = false): Promise<void> {
    const attempt = ++this.#attempt;
    const reached = this.#cursor.offset;
    const from = this.#tailBytes === null ? { offset: reached } : { tail: this.#tailBytes };
    this.#pending = true;
    try {
      const answer = await this.connection.request(ClientEvent.attach, { run: this.runId, ...from });
      if (this.#disposed || attempt !== this.#attempt) return;
      const attached = readAttached(answer);
      if (this.#tailBytes !== null) this.#beginAt(attached.offset, attached.line);
      this.#everAttached = true;
      this.#isOver = isFinal(attached.run.state);
      const resumed = resumes && attached.offset === reached;
      this.#settle();
      this.onEvent.emit({ kind: "attached", resumed, run: attached.run });
    } catch (error) {
      if (this.#disposed || attempt !== this.#attempt) return;
      this.#settle();
      this.#refused(error, reached);
    }
  }

  /** A run that was taken for lost may go on: then its output, which the server has ended, does as well. */
  #told(run: Run): void {
    if (run.id !== this.runId) return;
    const goesOn = this.#isOver && !isFinal(run.state);
    this.#isOver = isFinal(run.state);
    if (goesOn && this.connection.state.kind === "connected") void this.#attach(true);
  }

  #beginAt(offset: number, line: number | null): void {
    this.#tailBytes = null;
    // behind a jump, output that is here already comes again
    if (offset <= this.#cursor.offset) return;
    this.sink.skipped(offset, line);
    this.#cursor.moveTo(offset);
    this.onProgress.emit(offset);
  }

  #refused(cause: unknown, reached: number): void {
    const error =
      cause instanceof RequestError
        ? cause
        : new RequestError(LocalError.malformed, cause instanceof Error ? cause.message : "?");
    if (error.code === "bad_offset" && reached > 0) {
      this.onEvent.emit({ kind: "restarted" });
      this.restart();
      return;
    }
    // While the connection is away, its return attaches again.
    if (error.code === LocalError.disconnected) return;
    if (error.code === LocalError.timeout && this.connection.state.kind !== "connected") return;
    this.onEvent.emit({ kind: "failed", error });
  }

  #output({ output, done }: OutputArrival): void {
    if (output.run !== this.runId) return;
    const arrival = this.#cursor.accept(output.offset, output.data.length);
    switch (arrival.kind) {
      case "take": {
        this.#fruitless = 0;
        const { stream, time } = output;
        const line = arrival.skip === 0 ? output.line : null;
        this.sink.write({ data: output.data.subarray(arrival.skip), stream, time, line }, done);
        this.onProgress.emit(this.#cursor.offset);
        return;
      }
      case "repeat":
        done();
        return;
      case "jump":
        if (this.#pending) {
          this.#early.push({ output, done });
          return;
        }
        done();
        this.#missing();
    }
  }

  #gap(gap: Gap): void {
    if (gap.run !== this.runId) return;
    const missed = this.#cursor.skipGap(gap.offset, gap.next);
    if (missed === null && this.#pending) this.#early.push(gap);
    else if (missed === null) this.#missing();
    else if (missed > 0) {
      this.sink.gap(gap.next, gap.line);
      this.onProgress.emit(this.#cursor.offset);
    }
  }

  /** No attach is under way any more: takes what overtook its acknowledgement. What does not fit now is output of
   * the cursor before it, and means nothing. */
  #settle(): void {
    this.#pending = false;
    const early = this.#early;
    this.#early = [];
    for (const arrival of early) {
      const { offset } = "output" in arrival ? arrival.output : arrival;
      const fits = offset <= this.#cursor.offset;
      if (!("output" in arrival)) {
        if (fits) this.#gap(arrival);
      } else if (fits) this.#output(arrival);
      else arrival.done();
    }
  }

  /** Bytes before what came are missing: go back to where we are. */
  #missing(): void {
    if (++this.#fruitless > MAX_FRUITLESS_ATTEMPTS) {
      const message = `The output goes on beyond byte ${this.#cursor.offset}, which never arrived.`;
      this.onEvent.emit({
        kind: "failed",
        error: new RequestError(LocalError.malformed, `${message} Reload the page to try again.`),
      });
      return;
    }
    void this.#attach();
  }
}
