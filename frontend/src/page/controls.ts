import { button, el, setPressed, setText } from "./dom";
import { choiceTexts, CONTROL_STATE, RadioControl, TextControl, type FieldControl } from "./fieldcontrol";
import { ListControl } from "./listcontrol";
import type { Field } from "./parameters";
import { UploadControl } from "./uploadcontrol";
import type { Uploads } from "./uploads";

/** Choices stand beside each other if they fit into one line; more are a list to open. */
const LINE_CHARACTERS = 26;
/** What a button and the room around it take. */
const RADIO_CHARACTERS = 5;

/** The control of a field. `id` is one of the page's own; what is uploaded goes by way of `uploads`. */
export function controlOf(field: Field, id: string, uploads: Uploads): FieldControl {
  switch (field.kind) {
    case "boolean":
      return field.nullable ? choiceControl(field, id) : new TextControl(field, checkbox());
    case "enum":
      return choiceControl(field, id);
    case "multi-line":
    case "json":
      return new TextControl(field, area(field));
    case "secret":
      return secretControl(field);
    case "upload":
      return new UploadControl(field, uploads);
    case "list":
      return new ListControl(field, (item, number) => controlOf(item, `${id}-${number}`, uploads));
    case "date":
    case "time":
    case "date-time":
      return new TextControl(field, moment(field));
    default:
      return new TextControl(field, line(field));
  }
}

function checkbox(): HTMLInputElement {
  const input = el("input");
  input.type = "checkbox";
  return input;
}

function choiceControl(field: Field, id: string): FieldControl {
  const texts = choiceTexts(field);
  const length = texts.reduce((sum, [, label]) => sum + label.length + RADIO_CHARACTERS, 0);
  if (length <= LINE_CHARACTERS) return new RadioControl(field, id);
  const select = el("select", "input");
  select.append(...texts.map(([text, label]) => new Option(label, text)));
  return new TextControl(field, select);
}

function area(field: Field): HTMLTextAreaElement {
  const area = el("textarea", field.kind === "json" ? "input is-code" : "input");
  area.rows = field.kind === "json" ? 2 : 3;
  area.placeholder = placeholder(field) || (field.kind === "json" ? "JSON" : "");
  area.spellcheck = false;
  return area;
}

function line(field: Field): HTMLInputElement {
  const input = el("input", "input");
  // Not type=number: it hides what was typed when it is not a number, so no error could name it.
  input.type = "text";
  if (field.kind === "integer") input.inputMode = "numeric";
  if (field.kind === "number") input.inputMode = "decimal";
  input.autocomplete = "off";
  input.spellcheck = false;
  input.placeholder = placeholder(field);
  return input;
}

function moment(field: Field): HTMLInputElement {
  const input = el("input", "input");
  input.type = field.kind === "date-time" ? "datetime-local" : field.kind;
  if (field.kind !== "date") input.step = "1";
  return input;
}

/** What stands in an empty field: an example, or what an empty one means. */
function placeholder({ example, fallback, nullable, kind }: Field): string {
  if (example !== undefined && example !== null) {
    return typeof example === "string" ? example : JSON.stringify(example);
  }
  const isNumber = kind === "integer" || kind === "number";
  if (isNumber && !nullable && fallback !== undefined && fallback !== null) return String(fallback);
  return nullable ? "none" : "";
}

/** What is typed shows only on demand, and is kept nowhere. */
function secretControl(field: Field): FieldControl {
  const input = el("input", "input");
  input.type = "password";
  // Neither filled in with a login that the browser knows, nor remembered.
  input.autocomplete = "new-password";
  input.spellcheck = false;
  input.placeholder = field.required ? "" : "none";
  const show = (isShown: boolean) => {
    input.type = isShown ? "text" : "password";
    setPressed(toggle, isShown);
    setText(toggle, isShown ? "Hide" : "Show");
  };
  const toggle = button("Show", "button quiet", () => show(input.type === "password"));
  toggle.setAttribute("aria-label", `Show ${field.label}`);
  show(false);
  input.addEventListener("paste", (event) => {
    if (!/\n\s*\S/.test(event.clipboardData?.getData("text/plain") ?? "")) return;
    // The browser would join the lines to a secret that is none.
    event.preventDefault();
    input.setCustomValidity("A secret has one line; what was pasted has several.");
    input.dispatchEvent(new CustomEvent(CONTROL_STATE, { bubbles: true }));
  });
  // Whatever is entered next begins hidden.
  input.addEventListener("fill", () => show(false));
  return new TextControl(field, input, el("div", "secret", input, toggle));
}
