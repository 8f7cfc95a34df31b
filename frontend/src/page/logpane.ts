import { Attachment } from "../connection/attachment";
import type { Connection } from "../connection/client";
import { Excerpts } from "../connection/excerpts";
import { LagWatch } from "../connection/lag";
import { Listeners, type Dispose } from "../connection/listeners";
import { Loader } from "../log/loader";
import { LogWindow } from "../log/logwindow";
import type { LineRange } from "../log/rows";
import { RunLog } from "../log/runlog";
import { Seeker } from "../log/seeker";
import type { Splice } from "../log/splice";
import { LogWriter } from "../log/writer";
import { el } from "./dom";
import { JumpButton } from "./jumpbutton";

/** So much of the end of a long output is loaded at first, in well under a second ... */
const FIRST_LOAD_BYTES = 2 * 1024 * 1024;
/** ... and so much when the reader goes on at the end, or wants to see something else first. */
const SHORT_LOAD_BYTES = 512 * 1024;

/** What arrives so soon after attaching may be old; what comes later was printed when it came. */
const BACKLOG_MS = 3000;

/** The model, the window on it and what feeds both. A run that is shown anew gets new ones. */
interface View {
  readonly log: RunLog;
  readonly window: LogWindow;
  readonly writer: LogWriter;
  readonly loader: Loader;
  readonly seeker: Seeker;
}

/**
 * The output of one run: follows its live end, and loads what else the reader wants to see. Anything of the output
 * can be gone to by `goToLines` and `goToOffset`.
 */
export class LogPane {
  readonly element = el("div", "log");
  readonly attachment: Attachment;
  /** The log or the number of bytes changed. */
  readonly onChange = new Listeners<void>();
  /** Whether the window keeps to the end. */
  readonly onFollow = new Listeners<boolean>();
  /** Model and window were replaced. */
  readonly onReplace = new Listeners<void>();
  /** Rows in the middle of the log changed. */
  readonly onSplice = new Listeners<Splice>();
  /** The reader chose a line by its number; with `extends_`, a range up to it. */
  readonly onChoose = new Listeners<{ readonly number: number; readonly extends_: boolean }>();
  /** A line that was to be gone to cannot be shown; says why. */
  readonly onUnreachable = new Listeners<string>();

  readonly #excerpts: Excerpts;
  readonly #jump: JumpButton;
  readonly #lag: LagWatch;
  readonly #disposals: Dispose[] = [];
  #view: View;
  #marked: LineRange | null = null;
  #looks = { wrapped: false, times: false, numbers: true };
  #askedBeginning = false;
  /** Where the output ended when the run was attached to: new lines are those beyond. */
  #endAtOpening = 0;
  #attachedAt = 0;
  #lastOutput: number | null = null;

  /** @param lines to go to at first, instead of the end */
  constructor(
    private readonly connection: Connection,
    runId: string,
    lines: LineRange | null = null,
  ) {
    this.#excerpts = new Excerpts(connection, runId);
    this.#jump = new JumpButton(() => this.#jumpToEnd());
    this.#view = this.#newView();
    this.element.append(this.#view.window.element, this.#jump.element);
    this.attachment = new Attachment(
      connection,
      runId,
      {
        write: (piece, done) => {
          const now = Date.now();
          this.#lastOutput = now - this.#attachedAt < BACKLOG_MS ? Math.min(now, piece.time) : now;
          this.#view.writer.write(piece, done);
        },
        gap: (next, line) => this.#view.writer.gap(next, line),
        skipped: (next, line) => this.#view.writer.skip(next, line),
        reset: () => this.#replace(),
      },
      lines === null ? FIRST_LOAD_BYTES : SHORT_LOAD_BYTES,
    );
    const end = () => this.#excerpts.end(this.attachment.offset);
    this.#lag = new LagWatch({ reached: () => this.takenBytes, end });
    this.#disposals.push(
      this.#lag.onChange.add((bytes) => this.#jump.showBehind(bytes)),
      this.attachment.onEvent.add((event) => {
        if (event.kind === "attached") this.#attachedAt = Date.now();
        if (event.kind === "attached" && !event.resumed) this.#endAtOpening = event.run.outputBytes;
        void this.#view.seeker.changed();
      }),
    );
    if (lines !== null) this.goToLines(lines);
  }

  get model(): RunLog {
    return this.#view.log;
  }

  get window(): LogWindow {
    return this.#view.window;
  }

  /** Bytes of the run's output that the live end has reached. */
  get takenBytes(): number {
    return this.#view.log.end.offset;
  }

  /** When the last output that has arrived was printed, in ms since the epoch; null if there was none. */
  get lastOutput(): number | null {
    return this.#lastOutput;
  }

  /** Marks lines of the output by their numbers, and brings the first of them into view: loads it, if need be. */
  goToLines(lines: LineRange): void {
    this.markLines(lines);
    this.#view.seeker.seek(lines.first);
  }

  /** The same for the line in which byte `offset` of the output lies. Rejects with an Error for people. */
  async goToOffset(offset: number): Promise<void> {
    const line = await this.#view.loader.lineOf(offset);
    this.goToLines({ first: line, last: line });
  }

  markLines(lines: LineRange | null): void {
    this.#marked = lines;
    this.#view.window.markLines(lines);
    if (lines === null) this.#view.seeker.cancel();
  }

  get marked(): LineRange | null {
    return this.#marked;
  }

  /** Clears what is shown; the run's output stays on the server, and a row stands for it. */
  clear(): void {
    this.#view.log.clear();
    this.#view.window.reset();
    this.#changed();
  }

  toggleFollow(): void {
    this.window.follow(!this.window.isFollowing);
  }

  setWrapped(wrapped: boolean): void {
    this.#looks.wrapped = wrapped;
    this.window.setWrapped(wrapped);
  }

  setTimes(shown: boolean): void {
    this.#looks.times = shown;
    this.window.setTimes(shown);
  }

  setNumbers(shown: boolean): void {
    this.#looks.numbers = shown;
    this.window.setNumbers(shown);
  }

  dispose(): void {
    for (const dispose of this.#disposals) dispose();
    this.#lag.dispose();
    this.attachment.dispose();
    this.#view.seeker.cancel();
    this.#view.writer.reset();
    this.#view.window.dispose();
  }

  #newView(): View {
    const log = new RunLog();
    const window = new LogWindow(log);
    const writer = new LogWriter(log, () => this.#changed());
    const loader = new Loader(log, this.#excerpts);
    const seeker = new Seeker(log, loader, {
      canAsk: () => this.connection.state.kind === "connected",
      found: (row) => window.goTo(row),
      failed: (reason) => this.onUnreachable.emit(reason),
    });
    log.readerAt = () => (window.isFollowing ? log.endLine : window.topLine);
    log.onSplice.add((splice) => {
      window.splice(splice);
      this.onSplice.emit(splice);
    });
    log.onTouch.add(() => window.touch());
    window.onLoad.add(({ row, way }) => {
      const hole = log.holeAt(row);
      if (hole) void loader.load(hole, way);
    });
    window.onChoose.add((choice) => this.onChoose.emit(choice));
    window.onFollow.add((state) => {
      this.#jump.showFollow(state);
      this.onFollow.emit(state.following);
    });
    window.setWrapped(this.#looks.wrapped);
    window.setTimes(this.#looks.times);
    window.setNumbers(this.#looks.numbers);
    window.markLines(this.#marked);
    return { log, window, writer, loader, seeker };
  }

  #jumpToEnd(): void {
    if (this.#jump.isBehind) this.attachment.jumpToLive(SHORT_LOAD_BYTES);
    this.#lag.reset();
    this.window.follow(true);
    this.window.focus();
  }

  #replace(): void {
    const old = this.#view;
    old.seeker.cancel();
    old.writer.reset();
    this.#askedBeginning = false;
    this.#view = this.#newView();
    old.window.element.replaceWith(this.window.element);
    old.window.dispose();
    this.#jump.reset();
    this.onFollow.emit(true);
    this.onReplace.emit();
    this.#changed();
  }

  #changed(): void {
    if (this.takenBytes <= this.#endAtOpening) this.window.forgetNews();
    this.window.changed();
    void this.#view.seeker.changed();
    this.#askBeginning();
    this.onChange.emit();
  }

  /** What is before the first row may be gone for good: its row should not offer to load it. */
  #askBeginning(): void {
    if (this.#askedBeginning || this.model.holeAtBeginning === null) return;
    this.#askedBeginning = true;
    this.#view.loader.askBeginning().catch(() => {
      // Whoever wants to load it is told why that fails.
    });
  }
}
