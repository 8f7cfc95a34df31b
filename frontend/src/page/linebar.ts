import type { LineRange } from "../log/rows";
import { button, el } from "./dom";
import { linesOfText } from "./permalink";

export interface LineBarActions {
  /** Go to these lines. */
  go(lines: LineRange): void;
  copyLink(): void;
  /** Mark no lines any more. */
  clear(): void;
}

/** A small form over the log: which lines are marked, their link, and a way to lines by the keyboard. */
export class LineBar {
  readonly element = el("form", "line-bar");
  readonly #input = el("input", "input line-input");
  readonly #link: HTMLButtonElement;

  constructor(private readonly actions: LineBarActions) {
    this.#input.type = "text";
    this.#input.inputMode = "numeric";
    this.#input.autocomplete = "off";
    this.#input.placeholder = "120 or 120-140";
    this.#input.setAttribute("aria-label", "Line, or first and last line");
    this.#link = button("Copy link", "button quiet", () => actions.copyLink());
    const close = button("✕", "button quiet", () => this.close());
    close.setAttribute("aria-label", "Mark no line");
    this.element.setAttribute("aria-label", "Lines");
    this.element.append(el("span", "line-label", "Line"), this.#input, this.#link, close);
    this.element.hidden = true;
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#input.addEventListener("input", () => this.#input.removeAttribute("aria-invalid"));
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
  }

  open(): void {
    this.element.hidden = false;
    this.#input.focus();
    this.#input.select();
  }

  close(): void {
    this.show(null);
    this.actions.clear();
  }

  /** Shows which lines are marked. */
  show(lines: LineRange | null): void {
    this.element.hidden = lines === null;
    this.#link.hidden = lines === null;
    this.#input.removeAttribute("aria-invalid");
    this.#input.value = lines === null ? "" : rangeText(lines);
  }

  #submit(): void {
    const lines = linesOfText(this.#input.value);
    this.#input.toggleAttribute("aria-invalid", lines === null);
    if (lines) this.actions.go(lines);
  }
}

function rangeText({ first, last }: LineRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}
