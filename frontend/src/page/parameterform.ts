import { button, el, setText } from "./dom";
import { CONTROL_STATE } from "./fieldcontrol";
import { FieldError } from "./fielderror";
import { FormRow } from "./formrow";
import { isGivenAnew } from "./lastvalues";
import { fieldsOf, type Field } from "./parameters";
import type { Uploads } from "./uploads";

/** Where values come from that nobody has entered here. */
export const LAST_RUN = "As in your last run.";
export const CHOSEN_RUN = "As in the chosen run.";

/** The form of a job's parameters. */
export class ParameterForm {
  readonly element = el("div", "fields");
  readonly fields: readonly Field[];
  readonly #rows: readonly FormRow[];
  readonly #origin = el("span", "form-origin");
  readonly #foot: HTMLElement;
  #isTouched = false;

  /** `onBusy` is called when a file begins or ceases to be on its way. */
  constructor(
    schema: Readonly<Record<string, unknown>>,
    idPrefix: string,
    uploads: Uploads,
    onBusy: () => void,
  ) {
    this.fields = fieldsOf(schema);
    this.#rows = this.fields.map((field) => new FormRow(field, `${idPrefix}-${field.name}`, uploads));
    const reset = button("Reset to defaults", "button quiet form-reset", () => {
      this.reset();
      this.#rows[0]?.control.focus();
    });
    this.#foot = el("div", "form-foot", this.#origin, reset);
    this.element.append(...this.#rows.map((row) => row.element), this.#foot);
    for (const event of ["input", "change", CONTROL_STATE]) this.element.addEventListener(event, () => this.#changed());
    this.element.addEventListener(CONTROL_STATE, onBusy);
    this.#isTouched = false;
    this.#origin.hidden = true;
    this.#showFoot();
  }

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  /** Something has been entered by hand. */
  get isTouched(): boolean {
    return this.#isTouched;
  }

  /** A file is on its way. */
  get isSending(): boolean {
    return this.#rows.some(({ control }) => control.isBusy);
  }

  /** The parameters as entered; null if some are wrong: these say so, and the first has the focus. */
  values(): Record<string, unknown> | null {
    const values: Record<string, unknown> = {};
    let wrong: FormRow | null = null;
    for (const row of this.#rows) {
      const read = row.read();
      if (read instanceof FieldError) wrong ??= row;
      else if (read.value !== undefined) values[row.field.name] = read.value;
    }
    wrong?.control.focus();
    return wrong ? null : values;
  }

  /** Enters what a run was started with, as far as it fits, over the defaults; `origin` says of which. */
  fill(params: Readonly<Record<string, unknown>>, origin: string): void {
    for (const row of this.#rows) {
      if (isGivenAnew(row.field)) continue;
      row.tell("");
      const { name } = row.field;
      if (!(name in params && row.control.fill(params[name]))) row.control.reset();
    }
    this.#untouched(origin);
  }

  /** Takes over what was entered in a form that this one stands for now. */
  takeFrom(other: ParameterForm): void {
    const before = new Map(other.#rows.map((row) => [row.field.name, row]));
    for (const { field, control } of this.#rows) {
      const read = before.get(field.name)?.read();
      if (read && !(read instanceof FieldError) && read.value !== undefined) control.fill(read.value);
    }
    this.#isTouched = other.isTouched;
    this.#showFoot();
  }

  reset(): void {
    for (const row of this.#rows) {
      row.control.reset();
      row.tell("");
    }
    this.#isTouched = true;
    this.#showFoot();
  }

  focus(name: string): void {
    this.#rows.find(({ field }) => field.name === name)?.control.focus();
  }

  /** Marks fields that the server refused, and goes to the first; what is wrong is said elsewhere. */
  blame(names: readonly string[]): void {
    const rows = this.#rows.filter(({ field }) => names.includes(field.name));
    for (const row of rows) row.control.mark(true);
    rows[0]?.control.focus();
  }

  /** A run was started with what is entered: secrets are forgotten, and files are the run's. */
  taken(): void {
    for (const { control } of this.#rows) control.taken();
    this.#untouched(LAST_RUN);
  }

  #untouched(origin: string): void {
    this.#isTouched = false;
    setText(this.#origin, origin);
    this.#origin.hidden = false;
    this.#showFoot();
  }

  #changed(): void {
    this.#isTouched = true;
    this.#origin.hidden = true;
    this.#showFoot();
  }

  #showFoot(): void {
    this.#foot.hidden = this.#rows.every(({ control }) => control.isInitial);
  }
}
