import assert from "node:assert/strict";
import { test } from "node:test";

import { FieldError, fieldsOf, initialText, valueOf, type Field } from "../../src/page/parameters";

function only(property: Record<string, unknown>, required: string[] = []): Field {
  const [field] = fieldsOf({ type: "object", properties: { it: property }, required });
  assert.ok(field);
  return field;
}

test("a schema without properties has no fields", () => {
  assert.deepEqual(fieldsOf({}), []);
  assert.deepEqual(fieldsOf({ type: "object", properties: {} }), []);
});

test("fields keep the order of the schema, with their defaults filled in", () => {
  const fields = fieldsOf({
    properties: { b: { type: "string", default: "x" }, a: { type: "integer", default: 3 } },
  });
  assert.deepEqual(fields.map((field) => [field.name, initialText(field)]), [["b", "x"], ["a", "3"]]);
});

test("a schema behind $ref is found", () => {
  const fields = fieldsOf({
    $ref: "#/$defs/P",
    $defs: {
      P: { type: "object", properties: { level: { $ref: "#/$defs/L", default: "b" } }, required: [] },
      L: { enum: ["a", "b"] },
    },
  });
  assert.equal(fields[0]?.kind, "enum");
  assert.equal(initialText(fields[0] as Field), '"b"');
});

test("numbers are read as numbers, and what is none is named in the error", () => {
  const field = only({ type: "integer", minimum: 1, maximum: 9 });
  assert.equal(valueOf(field, " 7 "), 7);
  for (const text of ["x", "1.5", "0", "10", "1e999"]) {
    assert.throws(() => valueOf(field, text), (error) => error instanceof FieldError && error.field === "it");
  }
  assert.equal(valueOf(only({ type: "number" }), "1.5"), 1.5);
});

test("an empty optional field is left out, so that the job's default holds", () => {
  assert.equal(valueOf(only({ type: "integer", default: 3 }), ""), undefined);
  assert.throws(() => valueOf(only({ type: "integer" }, ["it"]), ""), FieldError);
});

test("an empty nullable field is null", () => {
  const nullable = only({ anyOf: [{ type: "integer" }, { type: "null" }], default: null });
  assert.equal(nullable.kind, "integer");
  assert.equal(valueOf(nullable, ""), null);
  assert.equal(valueOf(only({ type: ["string", "null"] }), ""), null);
});

test("an empty string is a string", () => {
  assert.equal(valueOf(only({ type: "string" }), ""), "");
});

test("choices keep their types", () => {
  const field = only({ enum: [1, "one"], default: 1 });
  assert.equal(initialText(field), "1");
  assert.equal(valueOf(field, "1"), 1);
  assert.equal(valueOf(field, '"one"'), "one");
});

test("what has no control of its own is entered as JSON", () => {
  const field = only({ type: "array", items: { type: "integer" }, default: [1] });
  assert.equal(field.kind, "json");
  assert.deepEqual(valueOf(field, "[1, 2]"), [1, 2]);
  assert.throws(() => valueOf(field, "[1,"), FieldError);
});
