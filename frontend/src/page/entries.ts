/** What stands in a form's controls, as text, and the values of parameters that it means. */
import { checkNumber, checkText } from "./fieldbounds";
import { FieldError } from "./fielderror";
import { localText, zonedText } from "./moments";
import type { Field } from "./parameters";

/** What a control starts with when nothing was entered before. */
export function initialText(field: Field): string {
  const { fallback, kind } = field;
  if (fallback === undefined || fallback === null) {
    return kind === "enum" && !field.nullable ? JSON.stringify(field.choices[0] ?? "") : "";
  }
  return textOf(field, fallback) ?? "";
}

/** A parameter's value as a control's text; null when it is none that this field can take. */
export function textOf(field: Field, value: unknown): string | null {
  if (value === null || value === undefined) return field.nullable ? "" : null;
  switch (field.kind) {
    case "enum": {
      const text = JSON.stringify(value);
      return field.choices.some((choice) => JSON.stringify(choice) === text) ? text : null;
    }
    case "boolean":
      return typeof value === "boolean" ? String(value) : null;
    case "integer":
    case "number":
      return typeof value === "number" ? kept(field, String(value)) : null;
    case "date-time":
      return typeof value === "string" ? localText(value, field.zoned) : null;
    case "json":
    case "list":
      return JSON.stringify(value);
    case "upload":
      return null;
    default:
      return typeof value === "string" ? kept(field, value) : null;
  }
}

/** The text, unless the field refuses it. */
function kept(field: Field, text: string): string | null {
  try {
    valueOf(field, text);
    return text;
  } catch (error) {
    if (error instanceof FieldError) return null;
    throw error;
  }
}

/** The value of what stands in a control; undefined leaves the parameter out, so that the job's
 * default holds. Throws FieldError. */
export function valueOf(field: Field, text: string): unknown {
  if (field.kind === "boolean" && !field.nullable) return text === "true";
  if (field.kind === "string" || field.kind === "multi-line") {
    if (text === "" && field.nullable) return null;
    return checkText(field, text);
  }
  const isEmpty = field.kind === "secret" ? text === "" : text.trim() === "";
  if (isEmpty) {
    // An empty secret is one that was not given, not the wish for none.
    if (field.kind === "secret" && !field.required) return undefined;
    if (field.nullable) return null;
    if (!field.required) return undefined;
    throw new FieldError(field.name, "Please give a value.");
  }
  switch (field.kind) {
    case "secret":
      return checkText(field, text);
    case "integer":
    case "number":
      return checkNumber(field, text.trim());
    case "date":
      return text;
    case "time":
      return zonedText(withSeconds(text), field.zoned, new Date());
    case "date-time":
      return zonedText(withSeconds(text), field.zoned, new Date(text));
    default:
      return parsed(field, text);
  }
}

function parsed(field: Field, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new FieldError(field.name, `This is not JSON: ${said}`);
  }
}

/** Browsers leave seconds out where they are zero; RFC 3339 does not. */
function withSeconds(text: string): string {
  return /(^|T)\d\d:\d\d$/.test(text) ? `${text}:00` : text;
}
