/** Reads a job's JSON Schema into the fields of a form. */
import { isFields } from "../connection/fields";

type Schema = Readonly<Record<string, unknown>>;

/** How a value is entered. */
export type FieldKind =
  | "string"
  | "multi-line"
  | "secret"
  | "upload"
  | "integer"
  | "number"
  | "boolean"
  | "enum"
  | "date"
  | "time"
  | "date-time"
  | "list"
  | "json";

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
  readonly example: unknown;
  readonly bounds: Bounds;
  /** A time of day or a moment carries the offset of its time zone. */
  readonly zoned: boolean;
  /** What each item of a list is. */
  readonly item: Field | null;
  /** No two items of a list are the same. */
  readonly unique: boolean;
}

/** What a value must keep to; null where there is no bound. */
export interface Bounds {
  readonly minimum: number | null;
  readonly maximum: number | null;
  /** The value must be more than this. */
  readonly above: number | null;
  /** The value must be less than this. */
  readonly below: number | null;
  readonly multipleOf: number | null;
  /** Characters (code points) of a text. */
  readonly minLength: number | null;
  readonly maxLength: number | null;
  readonly pattern: string | null;
  readonly minItems: number | null;
  readonly maxItems: number | null;
  /** Bytes of an upload. */
  readonly maxBytes: number | null;
}

/** Kinds that a row of a list can be; any other list is entered as JSON. */
const ITEM_KINDS: ReadonlySet<FieldKind> = new Set<FieldKind>([
  "string",
  "secret",
  "upload",
  "integer",
  "number",
  "enum",
  "date",
  "time",
  "date-time",
]);

const KINDS_OF_FORMATS: Readonly<Record<string, FieldKind>> = {
  "multi-line": "multi-line",
  password: "secret",
  upload: "upload",
  date: "date",
  time: "time",
  "time-local": "time",
  "date-time": "date-time",
  "date-time-local": "date-time",
};
/** RFC 3339 wants an offset in these. */
const ZONED_FORMATS: readonly unknown[] = ["time", "date-time"];

export function fieldsOf(schema: Schema): Field[] {
  const root = resolve(schema, schema);
  const properties = root["properties"];
  if (!isFields(properties)) return [];
  const required = Array.isArray(root["required"]) ? root["required"] : [];
  return Object.entries(properties).map(([name, value]) =>
    withText(fieldOf(name, isFields(value) ? value : {}, schema, required.includes(name))),
  );
}

/** A text that has to be given is not empty, unless its schema says that it may be: nobody meant to give it. */
function withText(field: Field): Field {
  const { kind, required, nullable, bounds } = field;
  const isText = kind === "string" || kind === "multi-line";
  if (!isText || !required || nullable || bounds.minLength !== null) return field;
  return { ...field, bounds: { ...bounds, minLength: 1 } };
}

function fieldOf(name: string, outer: Schema, root: Schema, required: boolean): Field {
  const { inner, nullable } = withoutNull(resolve(outer, root), root);
  // What stands beside a reference, or around a choice with null, is meant for this parameter.
  const told = { ...inner, ...defined(outer, ["title", "description", "default", "examples"]) };
  const item = itemOf(name, inner, root);
  const title = isReference(outer) ? outer["title"] : told["title"];
  const examples = told["examples"];
  return {
    name,
    label: typeof title === "string" && title !== "" ? title : name,
    description: typeof told["description"] === "string" ? told["description"] : "",
    kind: hasLines(told["default"]) && kindOf(inner, item) === "string" ? "multi-line" : kindOf(inner, item),
    choices: choicesOf(inner),
    required,
    nullable,
    fallback: inner["writeOnly"] === true ? undefined : told["default"],
    example: Array.isArray(examples) ? examples[0] : undefined,
    bounds: boundsOf(inner),
    zoned: ZONED_FORMATS.includes(inner["format"]),
    item,
    unique: inner["uniqueItems"] === true,
  };
}

function hasLines(value: unknown): boolean {
  return typeof value === "string" && value.includes("\n");
}

function itemOf(name: string, schema: Schema, root: Schema): Field | null {
  const items = schema["items"];
  if (schema["type"] !== "array" || !isFields(items) || schema["prefixItems"] !== undefined) return null;
  const item = fieldOf(name, items, root, true);
  return ITEM_KINDS.has(item.kind) && !item.nullable ? item : null;
}

function kindOf(schema: Schema, item: Field | null): FieldKind {
  if (choicesOf(schema).length > 0) return "enum";
  const { type, format } = schema;
  switch (type) {
    case "string": {
      const kind = typeof format === "string" ? KINDS_OF_FORMATS[format] : undefined;
      return kind ?? (schema["writeOnly"] === true ? "secret" : "string");
    }
    case "integer":
    case "number":
    case "boolean":
      return type;
    case "array":
      return item ? "list" : "json";
    default:
      return "json";
  }
}

function choicesOf(schema: Schema): readonly unknown[] {
  if ("const" in schema) return [schema["const"]];
  return Array.isArray(schema["enum"]) ? schema["enum"] : [];
}

function boundsOf(schema: Schema): Bounds {
  const pattern = schema["pattern"];
  return {
    minimum: numberOrNull(schema["minimum"]),
    maximum: numberOrNull(schema["maximum"]),
    above: numberOrNull(schema["exclusiveMinimum"]),
    below: numberOrNull(schema["exclusiveMaximum"]),
    multipleOf: numberOrNull(schema["multipleOf"]),
    minLength: numberOrNull(schema["minLength"]),
    maxLength: numberOrNull(schema["maxLength"]),
    pattern: typeof pattern === "string" ? pattern : null,
    minItems: numberOrNull(schema["minItems"]),
    maxItems: numberOrNull(schema["maxItems"]),
    maxBytes: numberOrNull(schema["maxBytes"]),
  };
}

function numberOrNull(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function defined(schema: Schema, keys: readonly string[]): Schema {
  return Object.fromEntries(keys.filter((key) => schema[key] !== undefined).map((key) => [key, schema[key]]));
}

function isReference(schema: Schema): boolean {
  return typeof schema["$ref"] === "string";
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
    if (rest.length !== 1 || !isFields(only)) return { inner: {}, nullable };
    const inner = resolve(only, root);
    // A class's name is no label of the parameter.
    return { inner: isReference(only) ? { ...inner, title: undefined } : inner, nullable };
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
