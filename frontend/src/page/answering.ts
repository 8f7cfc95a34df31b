import { Listeners } from "../connection/listeners";
import { isFinal, RequestError, type Run } from "../connection/protocol";
import { isAsking } from "./runwords";

/** Gives a run `data` to read, as it is; with `eof` that is all. Throws RequestError. */
export type SendInput = (data: string, eof: boolean) => Promise<void>;

/** Which of two fields is shown; what is typed into one never shows in the other. */
export type AnswerField = "line" | "password";

/**
 * What is asked of the reader, and what comes of the answer. It knows whether something has been typed, not what:
 * the fields have that, and nothing else does.
 */
export class Answering {
  readonly onChange = new Listeners<void>();
  #run: Run | undefined;
  #isWanted = false;
  #hasAsked = false;
  #isSending = false;
  /** The end of its input was sent: it reads nothing more. */
  #hasEnded = false;
  #failure = "";
  readonly #typed: Record<AnswerField, boolean> = { line: false, password: false };
  #field: AnswerField = "line";

  constructor(private readonly send: SendInput) {}

  /** Takes what is known of the run now. */
  update(run: Run | undefined): void {
    const wasAsking = this.isAsking;
    const wasOver = this.isOver;
    this.#run = run;
    if (this.isAsking) {
      this.#hasAsked = true;
      if (!wasAsking) this.#failure = "";
    }
    if (this.isOver && !wasOver && this.hasTyped && !this.#isSending) {
      this.#failure ||= "The run has ended: what you typed was not sent.";
    }
    this.#choose();
    this.onChange.emit();
  }

  /** Whether the run waits for an answer now, as far as is known. */
  get isAsking(): boolean {
    return isAsking(this.#run);
  }

  /** It has ended, or was asked to. */
  get isOver(): boolean {
    return this.#run !== undefined && isFinal(this.#run.state);
  }

  /** Whether something can be sent. */
  get canSend(): boolean {
    return this.#run?.state === "running" || this.#run?.state === "stopping";
  }

  /** Whether there are fields to type into: once a run has asked they stay, so that nothing moves between questions. */
  get isShown(): boolean {
    if (this.isOver) return this.#failure !== "";
    return this.canSend && !this.#hasEnded && (this.#hasAsked || this.#isWanted);
  }

  /** Whether it can be offered to type something although nothing is asked. */
  get isOffered(): boolean {
    return this.canSend && !this.#hasEnded && !this.#hasAsked && this.#run?.isolation === "process";
  }

  get isWanted(): boolean {
    return this.#isWanted;
  }

  get isSending(): boolean {
    return this.#isSending;
  }

  get field(): AnswerField {
    return this.#field;
  }

  get prompt(): string {
    return this.isAsking ? (this.#run?.waiting?.prompt.trim() ?? "") : "";
  }

  /** Why the last answer did not get there; empty if it did. */
  get failure(): string {
    return this.#failure;
  }

  get hasTyped(): boolean {
    return this.#typed.line || this.#typed.password;
  }

  toggle(): void {
    this.#isWanted = !this.#isWanted;
    this.onChange.emit();
  }

  /** There is something in this field now, or nothing. */
  typed(field: AnswerField, isSome: boolean): void {
    this.#typed[field] = isSome;
    if (field === "password" && !isSome) this.#choose();
    this.onChange.emit();
  }

  /** What was typed cannot be sent as it is. */
  refuse(reason: string): void {
    this.#failure = reason;
    this.onChange.emit();
  }

  /** The reader has seen that his answer did not get there. */
  dismiss(): void {
    this.#failure = "";
    this.#isWanted = false;
    this.onChange.emit();
  }

  /** Sends a line; gives whether it got there. */
  async answer(text: string): Promise<boolean> {
    return this.#give(`${text}\n`, false);
  }

  /** Sends what has been typed, if anything, and that this was all. */
  async end(text: string): Promise<boolean> {
    return this.#give(text === "" ? "" : `${text}\n`, true);
  }

  async #give(data: string, eof: boolean): Promise<boolean> {
    if (this.#isSending) return false;
    this.#isSending = true;
    this.#failure = "";
    this.onChange.emit();
    try {
      await this.send(data, eof);
      this.#hasEnded = eof;
      return true;
    } catch (error) {
      this.#failure = this.isOver ? "Not sent: the run has ended." : told(error);
      return false;
    } finally {
      this.#isSending = false;
      this.onChange.emit();
    }
  }

  /**
   * What has been typed hidden stays hidden until it is gone. Between two questions the field is as the last one
   * wanted it: who goes on typing a password for the second time is not seen doing so.
   */
  #choose(): void {
    if (!this.isAsking) return;
    if (this.#run?.waiting?.hidden) this.#field = "password";
    else if (!this.#typed.password) this.#field = "line";
  }
}

function told(error: unknown): string {
  if (error instanceof RequestError && error.code === "input_full") {
    return "Not sent: the run has not read what it was sent before. Try again later.";
  }
  return `Not sent: ${error instanceof Error ? error.message : String(error)}`;
}
