import assert from "node:assert/strict";
import { test } from "node:test";

import { initialText, textOf, valueOf } from "../../src/page/entries";
import { boundsText, warningOf } from "../../src/page/fieldbounds";
import { FieldError } from "../../src/page/fielderror";
import { offsetAt } from "../../src/page/moments";
import { fieldsOf, type Field } from "../../src/page/parameters";

function only(property: Record<string, unknown>, required: string[] = []): Field {
  const [field] = fieldsOf({ type: "object", properties: { it: property }, required });
  assert.ok(field);
  return field;
}

function refused(field: Field, text: string, said: RegExp = /./): void {
  assert.throws(
    () => valueOf(field, text),
    (error) => error instanceof FieldError && error.field === "it" && said.test(error.message),
  );
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

test("a schema behind $ref is found, and its class's name is no label", () => {
  const fields = fieldsOf({
    $ref: "#/$defs/P",
    $defs: {
      P: {
        type: "object",
        properties: {
          level: { $ref: "#/$defs/L", default: "b" },
          other: { anyOf: [{ $ref: "#/$defs/L" }, { type: "null" }], default: null },
        },
        required: [],
      },
      L: { title: "Level", enum: ["a", "b"] },
    },
  });
  assert.deepEqual(fields.map((field) => [field.kind, field.label, initialText(field)]), [
    ["enum", "level", '"b"'],
    ["enum", "other", ""],
  ]);
  assert.equal(fields[1]?.nullable, true);
});

test("title, help and examples are found around a choice with null and in it", () => {
  const told = { title: "How many", description: "Of what", examples: [7] };
  for (const schema of [
    { anyOf: [{ type: "integer" }, { type: "null" }], ...told },
    { anyOf: [{ type: "integer", ...told }, { type: "null" }] },
  ]) {
    const { label, description, example, kind } = only(schema);
    assert.deepEqual([label, description, example, kind], ["How many", "Of what", 7, "integer"]);
  }
});

test("each format has a kind of its own, and a text of an unknown one is text", () => {
  const kinds: Record<string, string> = {
    "multi-line": "multi-line",
    password: "secret",
    upload: "upload",
    date: "date",
    time: "time",
    "date-time": "date-time",
    path: "string",
  };
  for (const [format, kind] of Object.entries(kinds)) {
    assert.equal(only({ type: "string", format }).kind, kind);
    assert.equal(only({ anyOf: [{ type: "string", format }, { type: "null" }] }).kind, kind);
  }
  assert.equal(only({ type: "string", default: "two\nlines" }).kind, "multi-line");
});

test("numbers are read as numbers, and what is none is named in the error", () => {
  const field = only({ type: "integer", minimum: 1, maximum: 9 });
  assert.equal(valueOf(field, " 7 "), 7);
  refused(field, "x", /"x" is not a whole number/);
  refused(field, "1.5", /not a whole number/);
  refused(field, "0", /Must be 1 to 9, not 0/);
  for (const text of ["10", "1e999"]) refused(field, text);
  assert.equal(valueOf(only({ type: "number" }), "1.5"), 1.5);
});

test("open and half-open ranges and steps are kept to", () => {
  const open = only({ type: "number", exclusiveMinimum: 0, maximum: 1, multipleOf: 0.1 });
  assert.equal(valueOf(open, "0.3"), 0.3);
  refused(open, "0", /more than 0 and at most 1/);
  refused(open, "1.1");
  refused(open, "0.25", /multiple of 0.1/);
  refused(only({ type: "integer", exclusiveMaximum: 5 }), "5", /less than 5/);
});

test("texts keep to their length, in characters, and to a pattern that the browser understands", () => {
  const field = only({ type: "string", minLength: 2, maxLength: 3, pattern: "^\\S+$" });
  assert.equal(valueOf(field, "🙂🙂🙂"), "🙂🙂🙂");
  refused(field, "a", /At least 2 characters/);
  refused(field, "abcd", /At most 3 characters; these are 4/);
  refused(field, "a b", /pattern/);
  assert.equal(valueOf(only({ type: "string", pattern: "(?P<name>x)" }), "y"), "y");
});

test("bounds are told in words", () => {
  const told = (schema: Record<string, unknown>) => boundsText(only(schema));
  assert.equal(told({ type: "integer", minimum: 1, maximum: 10 }), "1 to 10");
  assert.equal(told({ type: "integer", minimum: 1, multipleOf: 5 }), "at least 1, a multiple of 5");
  assert.equal(told({ type: "string", minLength: 1, maxLength: 20 }), "up to 20 characters");
  assert.equal(told({ type: "string", minLength: 8, maxLength: 8 }), "8 characters");
  assert.equal(told({ type: "string" }), "");
  assert.equal(told({ type: "string", format: "upload", maxBytes: 5 * 1024 * 1024 }), "up to 5 MiB");
  const items = { type: "integer", minimum: 0 };
  assert.equal(told({ type: "array", items, maxItems: 3 }), "up to 3 items, each at least 0");
});

test("an empty optional field is left out, so that the job's default holds", () => {
  assert.equal(valueOf(only({ type: "integer", default: 3 }), ""), undefined);
  refused(only({ type: "integer" }, ["it"]), "", /give a value/);
});

test("an empty nullable field is null", () => {
  const nullable = only({ anyOf: [{ type: "integer" }, { type: "null" }], default: null });
  assert.equal(nullable.kind, "integer");
  assert.equal(valueOf(nullable, ""), null);
  assert.equal(valueOf(only({ type: ["string", "null"] }), ""), null);
  const choice = only({ anyOf: [{ type: "boolean" }, { type: "null" }], default: null });
  assert.deepEqual([valueOf(choice, ""), valueOf(choice, "true"), initialText(choice)], [null, true, ""]);
});

test("an empty string is a string", () => {
  assert.equal(valueOf(only({ type: "string" }), ""), "");
});

test("a text that is required is not empty, unless the schema says that it may be", () => {
  for (const more of [{}, { format: "multi-line" }, { format: "path" }, { maxLength: 5 }]) {
    refused(only({ type: "string", ...more }, ["it"]), "", /give a value/);
    assert.equal(valueOf(only({ type: "string", ...more }, ["it"]), " "), " ");
  }
  assert.equal(valueOf(only({ type: "string", minLength: 0 }, ["it"]), ""), "");
  assert.equal(valueOf(only({ anyOf: [{ type: "string" }, { type: "null" }] }, ["it"]), ""), null);
  assert.equal(boundsText(only({ type: "string", maxLength: 5 }, ["it"])), "up to 5 characters");
  assert.equal(valueOf(only({ enum: ["", "a"] }, ["it"]), '""'), "");
  const items = only({ type: "array", items: { type: "string" } }, ["it"]).item;
  assert.ok(items);
  assert.equal(valueOf(items, ""), "");
});

test("choices keep their types", () => {
  const field = only({ enum: [1, "one"], default: 1 });
  assert.equal(initialText(field), "1");
  assert.equal(valueOf(field, "1"), 1);
  assert.equal(valueOf(field, '"one"'), "one");
  assert.deepEqual(only({ const: "all" }).choices, ["all"]);
});

test("a list of scalars has rows, and what has no control of its own is entered as JSON", () => {
  const field = only({ type: "array", items: { type: "integer", minimum: 0 }, default: [1] });
  assert.equal(field.kind, "list");
  assert.equal(field.item?.kind, "integer");
  for (const schema of [
    { type: "array", items: { type: "array", items: {} } },
    { type: "array", items: { type: ["integer", "null"] } },
    { type: "array", prefixItems: [{ type: "string" }], items: false },
    { type: "object" },
    { anyOf: [{ type: "integer" }, { type: "string" }] },
    {},
  ]) {
    assert.equal(only(schema).kind, "json");
  }
  const other = only({ type: "object", default: { a: 1 } });
  assert.equal(initialText(other), '{"a":1}');
  assert.deepEqual(valueOf(other, '{"a": [2]}'), { a: [2] });
  refused(other, "[1,", /not JSON/);
});

test("a secret that is too short to be masked says so, as long as it is", () => {
  const secret = only({ type: "string", format: "password", writeOnly: true });
  assert.match(warningOf(secret, "1234567"), /not masked in the output/);
  assert.match(warningOf(secret, "🔑🔑🔑🔑🔑🔑🔑"), /not masked/);
  for (const text of ["", "12345678"]) assert.equal(warningOf(secret, text), "");
  assert.equal(valueOf(secret, "1234567"), "1234567");
  assert.equal(warningOf(only({ type: "string" }), "1234567"), "");
});

test("a secret has no default that could be seen, and an empty one is not sent", () => {
  const secret = { type: "string", format: "password", writeOnly: true };
  const field = only({ ...secret, default: "hidden" });
  assert.equal(initialText(field), "");
  assert.equal(valueOf(field, ""), undefined);
  assert.equal(valueOf(field, " x "), " x ");
  refused(only(secret, ["it"]), "");
});

test("a time is sent with its seconds, and a moment with the offset of the browser's zone", () => {
  assert.equal(valueOf(only({ type: "string", format: "time-local" }), "13:30"), "13:30:00");
  assert.equal(valueOf(only({ type: "string", format: "date-time-local" }), "2026-11-21T13:30"), "2026-11-21T13:30:00");
  assert.equal(valueOf(only({ type: "string", format: "date" }), "2026-11-21"), "2026-11-21");
  const summer = new Date("2026-07-01T08:00");
  assert.equal(
    valueOf(only({ type: "string", format: "date-time" }), "2026-07-01T08:00"),
    `2026-07-01T08:00:00${offsetAt(summer)}`,
  );
});

test("a moment of another zone is shown in the browser's, and comes out as the same moment", () => {
  const field = only({ type: "string", format: "date-time" });
  const text = textOf(field, "2026-11-21T13:30:00+05:30");
  assert.ok(text);
  assert.equal(Date.parse(String(valueOf(field, text))), Date.parse("2026-11-21T08:00:00Z"));
  const local = only({ type: "string", format: "date-time-local" });
  assert.equal(textOf(local, "2026-11-21T13:30:00"), "2026-11-21T13:30:00");
  assert.equal(textOf(local, "2026-11-21T13:30:00Z"), null);
  assert.equal(textOf(field, "soon"), null);
});

test("a value that does not fit the field is no text of it", () => {
  const cases: [Record<string, unknown>, unknown, string | null][] = [
    [{ type: "integer", maximum: 9 }, 9, "9"],
    [{ type: "integer", maximum: 9 }, 10, null],
    [{ type: "integer" }, "9", null],
    [{ type: "integer" }, null, null],
    [{ type: ["integer", "null"] }, null, ""],
    [{ type: "string", maxLength: 2 }, "abc", null],
    [{ enum: ["a", "b"] }, "c", null],
    [{ enum: ["a", "b"] }, "b", '"b"'],
    [{ type: "boolean" }, "yes", null],
    [{ type: "boolean" }, false, "false"],
    [{ type: "object" }, { a: 1 }, '{"a":1}'],
  ];
  for (const [schema, value, text] of cases) assert.equal(textOf(only(schema), value), text);
});
