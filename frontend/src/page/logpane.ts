import { Attachment } from "../connection/attachment";
import type { Connection } from "../connection/client";
import { Listeners } from "../connection/listeners";
import { LogWindow } from "../log/logwindow";
import { LogWriter } from "../log/writer";
import { createLogModel, type LogModel } from "../terminal/index";
import { button, el, setText } from "./dom";
import { counted, formatBytes, formatCount } from "./format";

/** At most this much of the end of a long output is loaded at first; more lines than that holds
 * would be dropped from the window anyway. */
const FIRST_LOAD_BYTES = 48 * 1024 * 1024;

/**
 * The output of one run: the model, what feeds it and the window on it. Loading anew replaces the
 * model and the window, so that line numbers begin at 1 again.
 */
export class LogPane {
  readonly element = el("div", "log");
  readonly attachment: Attachment;
  /** The model or the number of bytes changed. */
  readonly onChange = new Listeners<void>();
  /** Whether the window keeps to the end. */
  readonly onFollow = new Listeners<boolean>();
  /** Model and window were replaced. */
  readonly onReplace = new Listeners<void>();

  #model: LogModel = createLogModel();
  #window: LogWindow = this.#newWindow();
  #writer: LogWriter = this.#newWriter();
  readonly #jump: HTMLButtonElement;
  readonly #note = el("div", "log-note");
  readonly #noteText = el("span");
  readonly #again = button("Load all", "button quiet", () => this.reload());
  #isCleared = false;
  #wrapped = false;
  #times = false;
  #takenBytes = 0;
  #skippedBytes = 0;

  constructor(connection: Connection, runId: string) {
    this.#jump = button("", "log-jump", () => {
      this.#window.follow(true);
      this.#window.focus();
    });
    this.#jump.hidden = true;
    this.#note.append(this.#noteText, this.#again);
    this.#note.hidden = true;
    this.element.append(this.#note, this.#window.element, this.#jump);
    this.attachment = new Attachment(
      connection,
      runId,
      {
        write: (data, stream, time, done) => {
          this.#takenBytes += data.length;
          this.#writer.write(data, stream, time, done);
        },
        gap: (bytes) => this.#writer.gap(bytes),
        skipped: (bytes) => {
          this.#skippedBytes = bytes;
          this.#changed();
        },
        reset: () => this.#replace(),
      },
      FIRST_LOAD_BYTES,
    );
  }

  get model(): LogModel {
    return this.#model;
  }

  get window(): LogWindow {
    return this.#window;
  }

  /** Bytes of output received, without those that are gone. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** Clears what is shown; the run's output stays on the server. */
  clear(): void {
    this.#isCleared = true;
    this.#model.clear();
    this.#window.reset();
    this.#changed();
  }

  reload(): void {
    this.attachment.restart();
  }

  toggleFollow(): void {
    this.#window.follow(!this.#window.isFollowing);
  }

  setWrapped(wrapped: boolean): void {
    this.#wrapped = wrapped;
    this.#window.setWrapped(wrapped);
  }

  setTimes(shown: boolean): void {
    this.#times = shown;
    this.#window.setTimes(shown);
  }

  dispose(): void {
    this.attachment.dispose();
    this.#writer.reset();
    this.#window.dispose();
  }

  #newWindow(): LogWindow {
    const window = new LogWindow(this.#model);
    window.onFollow.add(({ following, newLines }) => {
      this.#jump.hidden = following;
      this.onFollow.emit(following);
      const news = newLines > 0 ? ` · ${counted(newLines, "new line")}` : "";
      setText(this.#jump, `Jump to end${news}`);
    });
    return window;
  }

  #newWriter(): LogWriter {
    return new LogWriter(this.#model, () => this.#changed());
  }

  #replace(): void {
    this.#writer.reset();
    const old = this.#window;
    this.#model = createLogModel();
    this.#window = this.#newWindow();
    this.#writer = this.#newWriter();
    this.#isCleared = false;
    this.#takenBytes = 0;
    this.#skippedBytes = 0;
    this.#window.setWrapped(this.#wrapped);
    this.#window.setTimes(this.#times);
    old.element.replaceWith(this.#window.element);
    old.dispose();
    this.#jump.hidden = true;
    this.onFollow.emit(true);
    this.onReplace.emit();
    this.#changed();
  }

  #changed(): void {
    this.#window.changed();
    const note = this.#missingNote();
    this.#note.hidden = note === "";
    // What the window has dropped would be dropped again.
    this.#again.hidden = !this.#isCleared && this.#skippedBytes === 0;
    setText(this.#noteText, note);
    this.onChange.emit();
  }

  /** Why the window does not show all of the output; empty when it does. */
  #missingNote(): string {
    if (this.#isCleared) return "Cleared here; the output itself is kept.";
    if (this.#skippedBytes > 0) {
      return `The first ${formatBytes(this.#skippedBytes)} were not loaded; the download has them.`;
    }
    const dropped = this.#model.firstLine;
    if (dropped === 0) return "";
    return `The first ${formatCount(dropped)} lines are no longer in this window; the download has them.`;
  }
}
