import type { Dispose } from "../connection/listeners";
import type { Run } from "../connection/protocol";
import { Answering, type AnswerField, type SendInput } from "./answering";
import { button, el, setPressed, setText, setUnavailable } from "./dom";
import { counted } from "./format";

/** A pasted text grows the field to so many lines; more of them scroll. */
const MAX_ROWS = 6;

export interface AnswerLineHost {
  readonly send: SendInput;
  /** Why nothing can be sent just now, or null. */
  readonly blocked: () => string | null;
  /** Whether the focus is where nobody misses it. */
  readonly mayTakeFocus: () => boolean;
  /** Takes the focus when the line goes. */
  readonly leave: () => void;
}

/**
 * The line below the log in which one answers what a run asks: Enter sends it. A hidden answer has a field of its
 * own; its text is kept nowhere else, and is gone from there once it was sent.
 */
export class AnswerLine {
  readonly element = el("form", "answer");
  /** Shows the line although nothing is asked. */
  readonly toggle: HTMLButtonElement;
  readonly #answering: Answering;
  readonly #label = el("label", "answer-label");
  readonly #fields = { line: el("textarea", "input answer-input"), password: el("input", "input answer-input") };
  readonly #send: HTMLButtonElement;
  readonly #end: HTMLButtonElement;
  readonly #close: HTMLButtonElement;
  readonly #failure = el("p", "answer-failure");
  readonly #dispose: Dispose;
  #wasAsking = false;

  constructor(private readonly host: AnswerLineHost) {
    this.#answering = new Answering(host.send);
    this.toggle = button("Send input", "button answer-toggle", () => this.#toggle());
    this.toggle.title = "Type something for the job to read, although it is not known to wait for it";
    this.#send = el("button", "button primary", "Send");
    this.#send.type = "submit";
    this.#end = button("End of input", "button", () => void this.#endInput());
    this.#end.title = "Tell the job that there is no more to read: end of file, Ctrl+D in a terminal";
    this.#close = button("Close", "button quiet", () => this.#dismiss());
    this.#failure.setAttribute("role", "alert");
    this.element.setAttribute("aria-label", "Input for the job");
    this.#build();
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#answer();
    });
    this.#dispose = this.#answering.onChange.add(() => this.#show());
    this.#show();
  }

  dispose(): void {
    this.#dispose();
    this.#clear("password");
  }

  update(run: Run | undefined): void {
    this.#answering.update(run);
    if (this.#answering.isOver) this.#clear("password");
    // A question that has just come is gone to, if the reader is not busy with something else.
    const asks = this.#answering.isAsking;
    if (asks && !this.#wasAsking && this.host.mayTakeFocus()) this.#field.focus({ preventScroll: true });
    this.#wasAsking = asks;
  }

  get #field(): HTMLTextAreaElement | HTMLInputElement {
    return this.#fields[this.#answering.field];
  }

  #build(): void {
    const { line, password } = this.#fields;
    line.id = "answer-line";
    line.rows = 1;
    line.spellcheck = false;
    line.autocapitalize = "off";
    line.setAttribute("autocomplete", "off");
    line.enterKeyHint = "send";
    line.setAttribute("autocorrect", "off");
    password.id = "answer-password";
    password.type = "password";
    // Of all values this one keeps browsers from offering a saved password, and from offering to save this one.
    password.autocomplete = "one-time-code";
    password.enterKeyHint = "send";
    password.addEventListener("paste", (event) => this.#pastePassword(event));
    line.addEventListener("keydown", (event) => {
      // Shift+Enter begins another line; a key that is held down sends one answer.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      if (!event.repeat) void this.#answer();
    });
    password.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.repeat) event.preventDefault();
    });
    for (const name of ["line", "password"] as const) {
      this.#fields[name].addEventListener("input", () => this.#typed(name));
    }
    const buttons = el("span", "answer-buttons", this.#send, this.#end, this.#close);
    this.element.append(this.#label, el("span", "answer-field", line, password), buttons, this.#failure);
  }

  #typed(name: AnswerField): void {
    const { line } = this.#fields;
    line.rows = Math.min(MAX_ROWS, line.value.split("\n").length);
    this.#answering.typed(name, this.#fields[name].value !== "");
  }

  #clear(name: AnswerField): void {
    this.#fields[name].value = "";
    this.#typed(name);
  }

  /** The browser would make one line of several, and the job would get something else than was copied. */
  #pastePassword(event: ClipboardEvent): void {
    const pasted = event.clipboardData?.getData("text").replace(/\r?\n$/, "") ?? "";
    const lines = pasted.split("\n").length;
    if (lines === 1) return;
    event.preventDefault();
    this.#answering.refuse(`Not pasted: it has ${counted(lines, "line")}, and a hidden answer has one.`);
  }

  async #answer(): Promise<void> {
    await this.#give((text) => this.#answering.answer(text));
  }

  async #endInput(): Promise<void> {
    await this.#give((text) => this.#answering.end(text));
  }

  async #give(give: (text: string) => Promise<boolean>): Promise<void> {
    if (!this.#answering.canSend || this.host.blocked() !== null) return;
    const name = this.#answering.field;
    const text = this.#fields[name].value;
    const hadFocus = this.#hasFocus;
    if (!(await give(text))) return;
    // What was typed meanwhile is for the next answer.
    if (this.#fields[name].value === text) this.#clear(name);
    if (hadFocus && this.#hasFocus) this.#field.focus({ preventScroll: true });
  }

  get #hasFocus(): boolean {
    return this.element.contains(document.activeElement);
  }

  #toggle(): void {
    this.#answering.toggle();
    if (this.#answering.isShown) this.#field.focus();
  }

  #dismiss(): void {
    this.#answering.dismiss();
    if (this.#answering.isOver) this.#clear("line");
  }

  #show(): void {
    const answering = this.#answering;
    if (!answering.isShown && this.#hasFocus) this.host.leave();
    this.element.hidden = !answering.isShown;
    this.toggle.hidden = !answering.isOffered;
    setPressed(this.toggle, answering.isWanted);
    if (this.element.hidden) return;
    const isPassword = answering.field === "password";
    const { line, password } = this.#fields;
    // The one that goes hands the focus on to the one that comes.
    const hadFocus = document.activeElement === line || document.activeElement === password;
    line.hidden = isPassword;
    password.hidden = !isPassword;
    if (hadFocus && document.activeElement !== this.#field) this.#field.focus({ preventScroll: true });
    this.#label.htmlFor = this.#field.id;
    setText(this.#label, answering.prompt || (isPassword ? "Hidden input" : "Input"));
    this.element.classList.toggle("is-asking", answering.isAsking);
    line.placeholder = answering.isAsking ? "" : "The job is not known to wait for it";
    const reason = answering.isOver ? "The run has ended" : (this.host.blocked() ?? (answering.isSending ? "Sending" : null));
    setUnavailable(this.#send, reason);
    setUnavailable(this.#end, reason);
    this.#close.hidden = !answering.isOver;
    setText(this.#failure, answering.failure);
    this.#failure.hidden = answering.failure === "";
  }
}
