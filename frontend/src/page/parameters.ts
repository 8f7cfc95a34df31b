/** Reads a job's JSON Schema into fields of a form, and a form's entries into parameters. */
import { isFields } from "../connection/reading";

type Schema = Readonly<Record<string, unknown>>;

export type FieldKind = "string" | "integer" | "number" | "boolean" | "enum" | "json";

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly kind: FieldKind;
  /** Choices of an enum. */
  readonly choices: readonly unknown[];
  readonly required: boolean;
  /** null is a value that the job takes. */
  readonly nullable: boolean;
  readonly fallback: unknown;
  readonly minimum: number | null;
  readonly maximum: number | null;
}

export class FieldError extends Error {
  constructor(
    readonly field: string,
    message: string,
  ) {
    super(message);
  }
}

export function fieldsOf(schema: Schema): Field[] {
  const root = resolve(schema, schema);
  const properties = root["properties"];
  if (!isFields(properties)) return [];
  const required = Array.isArray(root["required"]) ? root["required"] : [];
  return Object.entries(properties).map(([name, value]) =>
    fieldOf(name, isFields(value) ? value : {}, schema, required.includes(name)),
  );
}

function fieldOf(name: string, outer: Schema, root: Schema, required: boolean): Field {
  const { inner, nullable } = withoutNull(resolve(outer, root), root);
  const title = outer["title"] ?? inner["title"];
  const description = outer["description"] ?? inner["description"];
  return {
    name,
    label: typeof title === "string" && title !== "" ? title : name,
    description: typeof description === "string" ? description : "",
    kind: kindOf(inner),
    choices: Array.isArray(inner["enum"]) ? inner["enum"] : [],
    required,
    nullable,
    fallback: outer["default"] ?? inner["default"],
    minimum: numberOrNull(inner["minimum"]),
    maximum: numberOrNull(inner["maximum"]),
  };
}

function numberOrNull(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

/** Follows `$ref` into `$defs` of the same schema. */
function resolve(schema: Schema, root: Schema): Schema {
  const reference = schema["$ref"];
  if (typeof reference !== "string" || !reference.startsWith("#/")) return schema;
  let at: unknown = root;
  for (const part of reference.slice(2).split("/")) at = isFields(at) ? at[part] : undefined;
  return isFields(at) && at !== schema ? at : schema;
}

function withoutNull(schema: Schema, root: Schema): { inner: Schema; nullable: boolean } {
  const options = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(options)) {
    const rest = options.filter((option) => !isFields(option) || option["type"] !== "null");
    const only: unknown = rest[0];
    const nullable = rest.length < options.length;
    if (rest.length === 1 && isFields(only)) return { inner: resolve(only, root), nullable };
    return { inner: {}, nullable };
  }
  const type = schema["type"];
  if (Array.isArray(type)) {
    const rest = type.filter((name) => name !== "null");
    const inner = { ...schema, type: rest.length === 1 ? rest[0] : rest };
    return { inner, nullable: rest.length < type.length };
  }
  if (Array.isArray(schema["enum"]) && schema["enum"].includes(null)) {
    const choices = schema["enum"].filter((choice) => choice !== null);
    return { inner: { ...schema, enum: choices }, nullable: true };
  }
  return { inner: schema, nullable: false };
}

function kindOf(schema: Schema): FieldKind {
  if (Array.isArray(schema["enum"])) return "enum";
  switch (schema["type"]) {
    case "string":
    case "integer":
    case "number":
    case "boolean":
      return schema["type"];
    default:
      return "json";
  }
}

/** What a control starts with. */
export function initialText(field: Field): string {
  const { fallback, kind } = field;
  if (fallback === undefined || fallback === null) {
    return kind === "enum" && !field.nullable ? JSON.stringify(field.choices[0] ?? "") : "";
  }
  if (kind === "enum" || kind === "json") return JSON.stringify(fallback);
  return String(fallback);
}

/** The value of what stands in a control; undefined leaves the parameter out, so that the job's
 * default holds. Throws FieldError. */
export function valueOf(field: Field, text: string): unknown {
  if (field.kind === "boolean") return text === "true";
  if (field.kind === "string") {
    return text === "" && field.nullable ? null : text;
  }
  if (text.trim() === "") {
    if (field.nullable) return null;
    if (!field.required) return undefined;
    throw new FieldError(field.name, `${field.label}: please give a value.`);
  }
  if (field.kind === "integer" || field.kind === "number") return numberOf(field, text.trim());
  try {
    return JSON.parse(text);
  } catch {
    throw new FieldError(field.name, `${field.label}: this is not JSON.`);
  }
}

function numberOf(field: Field, text: string): number {
  const value = Number(text);
  const what = field.kind === "integer" ? "a whole number" : "a number";
  const fits = field.kind === "integer" ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (!fits) throw new FieldError(field.name, `${field.label}: "${text}" is not ${what}.`);
  if (field.minimum !== null && value < field.minimum) {
    throw new FieldError(field.name, `${field.label}: at least ${field.minimum}.`);
  }
  if (field.maximum !== null && value > field.maximum) {
    throw new FieldError(field.name, `${field.label}: at most ${field.maximum}.`);
  }
  return value;
}
