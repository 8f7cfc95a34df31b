import { button, el } from "./dom";
import { checkItems } from "./fieldbounds";
import { markInvalid, type FieldControl } from "./fieldcontrol";
import { FieldError } from "./fielderror";
import { isGivenAnew } from "./lastvalues";
import type { Field } from "./parameters";

interface Row {
  readonly element: HTMLElement;
  readonly control: FieldControl;
  readonly remove: HTMLButtonElement;
}

/**
 * A list of scalars, an item a row. Enter adds a row, Backspace in an empty one removes it, several pasted lines
 * become several rows. Rows that are empty do not count.
 */
export class ListControl implements FieldControl {
  readonly element = el("div", "list");
  readonly target = this.element;
  #rows: readonly Row[] = [];
  readonly #list = el("div", "list-rows");
  readonly #add: HTMLButtonElement;
  #made = 0;
  /** The row that the last error was about. */
  #wrong: Row | null = null;

  constructor(
    private readonly field: Field,
    private readonly make: (item: Field, number: number) => FieldControl,
  ) {
    this.element.setAttribute("role", "group");
    this.#add = button("Add", "button list-add", () => this.#insert(this.#rows.length));
    this.#add.setAttribute("aria-label", `Add to ${field.label}`);
    this.element.append(this.#list, this.#add);
    this.#list.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("paste", (event) => this.#paste(event));
    this.reset();
  }

  value(): unknown {
    const items: unknown[] = [];
    this.#wrong = null;
    for (const row of this.#rows) {
      try {
        if (!isBlank(row)) items.push(row.control.value());
      } catch (error) {
        if (!(error instanceof FieldError)) throw error;
        this.#wrong = row;
        const said = this.#rows.length > 1 ? `Row ${this.#rows.indexOf(row) + 1}: ` : "";
        throw new FieldError(this.field.name, said + error.message);
      }
    }
    if (items.length === 0 && this.field.nullable) return null;
    checkItems(this.field, items);
    return items;
  }

  fill(value: unknown): boolean {
    const items = value === null && this.field.nullable ? [] : value;
    if (!Array.isArray(items)) return false;
    const rows = items.map(() => this.#row());
    if (!rows.every((row, at) => row.control.fill(items[at]))) return false;
    this.#show(rows);
    return true;
  }

  reset(): void {
    const { fallback } = this.field;
    if (!Array.isArray(fallback) || !this.fill(fallback)) this.#show([]);
  }

  get isInitial(): boolean {
    const { fallback } = this.field;
    const initial = Array.isArray(fallback) ? fallback : [];
    try {
      return JSON.stringify(this.value() ?? []) === JSON.stringify(initial);
    } catch (error) {
      if (error instanceof FieldError) return false;
      throw error;
    }
  }

  mark(isWrong: boolean): void {
    markInvalid(this.target, isWrong);
    for (const row of this.#rows) row.control.mark(isWrong && row === this.#wrong);
  }

  focus(): void {
    const row = this.#wrong ?? this.#rows[0];
    if (row) row.control.focus();
    else this.#add.focus();
  }

  taken(): void {
    for (const row of this.#rows) row.control.taken();
    if (isGivenAnew(this.field)) this.#show([]);
  }

  get isBusy(): boolean {
    return this.#rows.some(({ control }) => control.isBusy);
  }

  get failure(): string {
    return this.#rows.map(({ control }) => control.failure).find((failure) => failure !== "") ?? "";
  }

  #row(): Row {
    const item = this.field.item;
    if (!item) throw new Error(`${this.field.name} is no list`);
    this.#made += 1;
    const control = this.make(item, this.#made);
    const row: Row = {
      control,
      remove: button("×", "button quiet list-remove", () => this.#remove(row)),
      element: el("div", "list-row", control.element),
    };
    row.element.append(row.remove);
    return row;
  }

  #show(rows: readonly Row[]): void {
    for (const row of this.#rows) if (!rows.includes(row)) row.control.reset();
    this.#rows = rows;
    this.#wrong = null;
    rows.forEach((row, at) => {
      const { target } = row.control;
      target.setAttribute("aria-label", `${this.field.label}, ${at + 1}`);
      row.remove.setAttribute("aria-label", `Remove ${at + 1} of ${this.field.label}`);
      if (this.#list.children[at] !== row.element) this.#list.insertBefore(row.element, this.#list.children[at] ?? null);
    });
    while (this.#list.children.length > rows.length) this.#list.lastElementChild?.remove();
    this.element.dispatchEvent(new Event("change", { bubbles: true }));
  }

  #insert(at: number): void {
    const row = this.#row();
    this.#show([...this.#rows.slice(0, at), row, ...this.#rows.slice(at)]);
    row.control.focus();
  }

  #remove(row: Row): void {
    const at = this.#rows.indexOf(row);
    this.#show(this.#rows.filter((each) => each !== row));
    const next = this.#rows[Math.min(at, this.#rows.length - 1)];
    if (next) next.control.focus();
    else this.#add.focus();
  }

  #key(event: KeyboardEvent): void {
    const row = this.#rows.find(({ control }) => control.target === event.target);
    if (!row || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const at = this.#rows.indexOf(row);
    if (event.key === "Enter") this.#insert(at + 1);
    else if (event.key === "Backspace" && isBlank(row)) this.#removeBackwards(at);
    else return;
    event.preventDefault();
  }

  #removeBackwards(at: number): void {
    this.#show(this.#rows.filter((_, each) => each !== at));
    const before = this.#rows[Math.max(0, at - 1)];
    if (before) before.control.focus();
    else this.#add.focus();
  }

  #paste(event: ClipboardEvent): void {
    const lines = (event.clipboardData?.getData("text/plain") ?? "").split(/\r?\n/).map((line) => line.trim());
    const texts = lines.filter((line) => line !== "");
    const at = this.#rows.findIndex(({ control }) => control.target === event.target);
    const item = this.field.item;
    if (at < 0 || texts.length < 2 || !item) return;
    const rows = texts.map((text) => {
      const row = this.#row();
      if (row.control.target instanceof HTMLInputElement) row.control.target.value = text;
      return row;
    });
    event.preventDefault();
    const kept = this.#rows.filter((row, each) => each !== at || !isBlank(row));
    const after = kept.length === this.#rows.length ? at + 1 : at;
    this.#show([...kept.slice(0, after), ...rows, ...kept.slice(after)]);
    rows.at(-1)?.control.focus();
  }
}

/** Nothing has been entered; a choice always has been. */
function isBlank({ control }: Row): boolean {
  return control.target instanceof HTMLInputElement && control.isInitial;
}
