import { el } from "./dom";
import { FieldError, fieldsOf, initialText, valueOf, type Field } from "./parameters";

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** The form of a job's parameters. */
export class ParameterForm {
  readonly element = el("div", "fields");
  readonly #controls: { field: Field; control: Control }[] = [];

  constructor(schema: Readonly<Record<string, unknown>>, idPrefix: string) {
    for (const field of fieldsOf(schema)) {
      const control = controlOf(field);
      control.id = `${idPrefix}-${field.name}`;
      control.name = field.name;
      const label = el("label", "field-label", field.label);
      label.htmlFor = control.id;
      const hint = field.description ? el("p", "field-hint", field.description) : null;
      if (hint) {
        hint.id = `${control.id}-hint`;
        control.setAttribute("aria-describedby", hint.id);
      }
      const row = el("div", `field field-${field.kind}`, label, control, hint);
      this.element.append(row);
      this.#controls.push({ field, control });
    }
  }

  get isEmpty(): boolean {
    return this.#controls.length === 0;
  }

  /** The parameters as entered. Throws FieldError, having marked the field. */
  values(): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const { field, control } of this.#controls) {
      try {
        const value = valueOf(field, textOf(control));
        if (value !== undefined) values[field.name] = value;
        control.removeAttribute("aria-invalid");
      } catch (error) {
        if (error instanceof FieldError) {
          control.setAttribute("aria-invalid", "true");
          control.focus();
        }
        throw error;
      }
    }
    return values;
  }
}

function textOf(control: Control): string {
  if (control instanceof HTMLInputElement && control.type === "checkbox") return String(control.checked);
  return control.value;
}

function controlOf(field: Field): Control {
  switch (field.kind) {
    case "boolean": {
      const input = el("input");
      input.type = "checkbox";
      input.checked = field.fallback === true;
      return input;
    }
    case "enum": {
      const select = el("select", "input");
      if (field.nullable) select.append(new Option("(none)", ""));
      for (const choice of field.choices) {
        const label = typeof choice === "string" ? choice : JSON.stringify(choice);
        select.append(new Option(label, JSON.stringify(choice)));
      }
      select.value = initialText(field);
      return select;
    }
    case "json": {
      const area = el("textarea", "input");
      area.rows = 2;
      area.placeholder = "JSON";
      area.spellcheck = false;
      area.value = initialText(field);
      return area;
    }
    default: {
      const input = el("input", "input");
      // Not type=number: it hides what was typed when it is not a number, so no error could name it.
      input.type = "text";
      if (field.kind !== "string") input.inputMode = field.kind === "integer" ? "numeric" : "decimal";
      input.autocomplete = "off";
      input.spellcheck = false;
      input.value = initialText(field);
      if (field.nullable) input.placeholder = "none";
      return input;
    }
  }
}
