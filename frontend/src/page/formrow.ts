import { controlOf } from "./controls";
import { el, setText } from "./dom";
import { boundsText, warningOf } from "./fieldbounds";
import { CONTROL_STATE, type FieldControl } from "./fieldcontrol";
import { FieldError } from "./fielderror";
import { timeZone } from "./moments";
import type { Field } from "./parameters";
import type { Uploads } from "./uploads";

/** One parameter in a form: its label, its control, what is to be known of it, and what is wrong with it. */
export class FormRow {
  readonly element: HTMLElement;
  readonly control: FieldControl;
  readonly #hint = el("p", "field-hint");
  readonly #error = el("p", "field-error");

  constructor(
    readonly field: Field,
    id: string,
    uploads: Uploads,
  ) {
    this.control = controlOf(field, id, uploads);
    const { target } = this.control;
    target.id = id;
    const label = labelOf(field, target);
    this.#hint.id = `${id}-hint`;
    this.#hint.setAttribute("aria-live", "polite");
    this.#error.id = `${id}-error`;
    this.#error.hidden = true;
    target.setAttribute("aria-describedby", `${this.#hint.id} ${this.#error.id}`);
    const mustBeGiven = isToBeGiven(field);
    if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) target.required = mustBeGiven;
    this.element = el("div", `field field-${field.kind}`, label, this.control.element, this.#hint, this.#error);
    this.element.classList.toggle("is-required", mustBeGiven);
    for (const event of ["input", "change", CONTROL_STATE]) {
      this.element.addEventListener(event, () => this.tell(this.control.failure));
    }
    for (const event of ["input", "fill"]) target.addEventListener(event, () => this.#explain());
    this.#explain();
  }

  /** What is to be known of the field, and of what stands in it. */
  #explain(): void {
    const { target } = this.control;
    const warning = target instanceof HTMLInputElement ? warningOf(this.field, target.value) : "";
    setText(this.#hint, [hintOf(this.field), warning].filter((part) => part !== "").join(" "));
    this.#hint.hidden = this.#hint.textContent === "";
  }

  /** The value that was entered, or the error, which is shown. */
  read(): { readonly value: unknown } | FieldError {
    try {
      const value = this.control.value();
      this.tell("");
      return { value };
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      this.tell(error.message);
      return error;
    }
  }

  /** Shows what is wrong; nothing when it is empty. */
  tell(message: string): void {
    setText(this.#error, message);
    this.#error.hidden = message === "";
    this.control.mark(message !== "");
  }
}

/** A control of several parts is named as a group. */
function labelOf(field: Field, target: HTMLElement): HTMLElement {
  if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement) {
    const label = el("label", "field-label", field.label);
    label.htmlFor = target.id;
    return label;
  }
  const label = el("span", "field-label", field.label);
  label.id = `${target.id}-label`;
  target.setAttribute("aria-labelledby", label.id);
  return label;
}

/** Whether a form that is left as it is at first lacks this value. */
function isToBeGiven({ kind, required, nullable, bounds }: Field): boolean {
  if (!required || nullable || kind === "boolean" || kind === "enum") return false;
  if (kind === "list") return (bounds.minItems ?? 0) > 0;
  const isText = kind === "string" || kind === "multi-line";
  return !isText || (bounds.minLength ?? 0) > 0;
}

function hintOf(field: Field): string {
  const { description } = field;
  const how = field.zoned ? `in your time zone, ${timeZone()}` : field.kind === "json" ? "as JSON" : "";
  const told = how === "" ? boundsText(field) : how;
  if (told === "") return description;
  const sentence = `${told.charAt(0).toUpperCase()}${told.slice(1)}.`;
  if (description === "") return sentence;
  return `${description}${/[.!?:]$/.test(description) ? "" : "."} ${sentence}`;
}
