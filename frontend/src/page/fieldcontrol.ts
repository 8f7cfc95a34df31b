import { initialText, textOf, valueOf } from "./entries";
import { el } from "./dom";
import { FieldError } from "./fielderror";
import type { Field } from "./parameters";

/** The event of a control that begins or ceases to be busy, or that refuses something; it bubbles. */
export const CONTROL_STATE = "controlstate";

/** What one field is entered with. Changes by the reader bubble from it as `input` or `change` events. */
export interface FieldControl {
  readonly element: HTMLElement;
  /** What the label, the hint and an error belong to. */
  readonly target: HTMLElement;
  /** What has been entered; undefined leaves the parameter out. Throws FieldError. */
  value(): unknown;
  /** Enters a value; false if it is none that fits: then nothing changes. */
  fill(value: unknown): boolean;
  /** As it was at first. */
  reset(): void;
  readonly isInitial: boolean;
  /** Shows that the entry is wrong, or no longer. */
  mark(isWrong: boolean): void;
  /** Goes to what is to be entered, or to the part of it that is wrong. */
  focus(): void;
  /** A run was started with it: secrets are forgotten, and files are the run's. */
  taken(): void;
  /** A file is on its way. */
  readonly isBusy: boolean;
  /** Why a file did not come, or a text was not taken; empty if all is well. */
  readonly failure: string;
}

type TextElement = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** A field that one element of HTML holds, as text. */
export class TextControl implements FieldControl {
  readonly element: HTMLElement;
  readonly isBusy = false;
  #initial = "";

  constructor(
    private readonly field: Field,
    readonly target: TextElement,
    element?: HTMLElement,
  ) {
    this.element = element ?? target;
    this.target.addEventListener("input", () => this.target.setCustomValidity(""));
    this.reset();
  }

  value(): unknown {
    // A date that is entered in part reads as none at all.
    if (this.target.validity.badInput) throw new FieldError(this.field.name, "This is not complete.");
    return valueOf(this.field, this.#text);
  }

  fill(value: unknown): boolean {
    const text = textOf(this.field, value);
    // A single line would lose the ends of lines without a word.
    if (text === null || (this.target instanceof HTMLInputElement && /[\r\n]/.test(text))) return false;
    this.#text = text;
    return true;
  }

  reset(): void {
    this.#text = initialText(this.field);
    // As the control has it: some write a time in their own way.
    this.#initial = this.#text;
  }

  get isInitial(): boolean {
    return !this.target.validity.badInput && this.#text === this.#initial;
  }

  mark(isWrong: boolean): void {
    markInvalid(this.target, isWrong);
  }

  focus(): void {
    this.target.focus();
  }

  taken(): void {
    if (this.field.kind === "secret") this.reset();
  }

  /** Whoever refuses a text says so by the element's custom validity. */
  get failure(): string {
    return this.target.validity.customError ? this.target.validationMessage : "";
  }

  get #text(): string {
    return isCheckbox(this.target) ? String(this.target.checked) : this.target.value;
  }

  set #text(text: string) {
    if (isCheckbox(this.target)) this.target.checked = text === "true";
    else this.target.value = text;
    this.target.setCustomValidity("");
    this.target.dispatchEvent(new CustomEvent("fill"));
  }
}

/** A few choices that stand beside each other. */
export class RadioControl implements FieldControl {
  readonly element = el("div", "choices");
  readonly target = this.element;
  readonly isBusy = false;
  readonly failure = "";
  readonly #radios: HTMLInputElement[] = [];

  constructor(
    private readonly field: Field,
    id: string,
  ) {
    this.element.setAttribute("role", "radiogroup");
    for (const [text, label] of choiceTexts(field)) {
      const radio = el("input");
      radio.type = "radio";
      radio.name = id;
      radio.value = text;
      this.#radios.push(radio);
      this.element.append(el("label", "choice", radio, el("span", "", label)));
    }
    this.reset();
  }

  value(): unknown {
    return valueOf(this.field, this.#radios.find((radio) => radio.checked)?.value ?? "");
  }

  fill(value: unknown): boolean {
    const text = textOf(this.field, value);
    if (text === null) return false;
    this.#choose(text);
    return true;
  }

  reset(): void {
    this.#choose(initialText(this.field));
  }

  get isInitial(): boolean {
    return this.#radios.find((radio) => radio.checked)?.value === initialText(this.field);
  }

  mark(isWrong: boolean): void {
    markInvalid(this.target, isWrong);
  }

  focus(): void {
    (this.#radios.find((radio) => radio.checked) ?? this.#radios[0])?.focus();
  }

  taken(): void {}

  #choose(text: string): void {
    for (const radio of this.#radios) radio.checked = radio.value === text;
  }
}

/** The choices of an enum, or yes and no, as text of a control and as text for people. */
export function choiceTexts(field: Field): [text: string, label: string][] {
  const texts: [string, string][] =
    field.kind === "boolean"
      ? [
          ["true", "yes"],
          ["false", "no"],
        ]
      : field.choices.map((choice) => [JSON.stringify(choice), choiceLabel(choice)]);
  return field.nullable ? [["", "(none)"], ...texts] : texts;
}

function choiceLabel(choice: unknown): string {
  if (choice === "") return "(empty)";
  return typeof choice === "string" ? choice : JSON.stringify(choice);
}

export function markInvalid(element: HTMLElement, isWrong: boolean): void {
  if (isWrong) element.setAttribute("aria-invalid", "true");
  else element.removeAttribute("aria-invalid");
}

function isCheckbox(element: TextElement): element is HTMLInputElement {
  return element instanceof HTMLInputElement && element.type === "checkbox";
}
