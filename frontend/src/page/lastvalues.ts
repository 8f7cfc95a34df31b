/** The parameters of an earlier run, for the next one. */
import { textOf } from "./entries";
import { fieldsOf, type Field } from "./parameters";

/** Whether a value is given for one run only: a secret, or a file, which is gone with its run. */
export function isGivenAnew(field: Field): boolean {
  return field.kind === "secret" || field.kind === "upload" || (field.item !== null && isGivenAnew(field.item));
}

/** What starting a run with an earlier one's parameters takes. */
export interface Again {
  /** Those that can be given once more. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Fields that somebody has to fill in: secrets, files, and what the job does not take any more. */
  readonly missing: readonly string[];
}

/** `schema` is the job's as it is now, `params` what the earlier run was started with. */
export function again(
  schema: Readonly<Record<string, unknown>>,
  params: Readonly<Record<string, unknown>>,
): Again {
  const kept: Record<string, unknown> = {};
  const missing: string[] = [];
  for (const field of fieldsOf(schema)) {
    const value = params[field.name];
    const isGiven = value !== undefined && value !== null;
    if (isGivenAnew(field)) {
      if (isGiven || (field.required && !field.nullable)) missing.push(field.name);
    } else if (field.name in params && fits(field, value)) {
      kept[field.name] = value;
    } else if (field.name in params || field.required) {
      missing.push(field.name);
    }
  }
  return { params: kept, missing };
}

/** Whether the field can take a value. */
function fits(field: Field, value: unknown): boolean {
  const { item, nullable } = field;
  if (value === null) return nullable;
  if (field.kind === "list" && item) return Array.isArray(value) && value.every((each) => fits(item, each));
  return textOf(field, value) !== null;
}
