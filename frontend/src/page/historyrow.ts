import { isFinal, type Run } from "../connection/protocol";
import { el, setText } from "./dom";
import { counted, elapsedOf, exitText, formatBytes, formatCount, formatElapsed, formatWhen, paramsText } from "./format";
import { leadTo } from "./placelink";
import type { Session } from "./session";
import { setChip, statusChip } from "./statuschip";

/** One of the table's columns. On a narrow screen a row is a card, and the class says where in it the cell stands. */
interface Column {
  readonly name: string;
  readonly title: string;
}

export const COLUMNS: readonly Column[] = [
  { name: "job", title: "Run" },
  { name: "user", title: "User" },
  { name: "params", title: "Parameters" },
  { name: "when", title: "Started" },
  { name: "took", title: "Took" },
  { name: "state", title: "State" },
  { name: "bytes", title: "Output" },
  { name: "lines", title: "Lines" },
];

/** A run in the table of past runs. Roles are spelled out: a table that is laid out otherwise loses its own. */
export class HistoryRow {
  readonly element = el("tr", "past");
  readonly #link = el("a", "past-link");
  readonly #title = el("span");
  readonly #told = el("span", "visually-hidden");
  readonly #user = cell("user");
  readonly #params = cell("params");
  readonly #when = el("time");
  readonly #took = cell("took");
  readonly #chip = statusChip();
  readonly #exit = el("span", "past-exit");
  readonly #bytes = cell("bytes");
  readonly #lines = cell("lines");
  #isFinal = false;

  constructor(
    private readonly session: Session,
    run: Run,
  ) {
    const place = { kind: "run", run: run.id } as const;
    leadTo(this.#link, session, place);
    this.#link.append(this.#title, this.#told);
    const head = el("th", "past-job", this.#link);
    head.scope = "row";
    head.setAttribute("role", "rowheader");
    const when = cell("when", this.#when);
    const state = cell("state", this.#chip, this.#exit);
    this.element.setAttribute("role", "row");
    this.element.append(head, this.#user, this.#params, when, this.#took, state, this.#bytes, this.#lines);
    // The whole row leads there, except while text is being selected.
    this.element.addEventListener("click", (event) => {
      if (event.defaultPrevented || event.target instanceof HTMLAnchorElement) return;
      if (this.#link.contains(event.target as Node) || !getSelection()?.isCollapsed) return;
      session.go(place);
    });
  }

  get isFinal(): boolean {
    return this.#isFinal;
  }

  focus(): void {
    this.#link.focus();
  }

  update(run: Run, now: number): void {
    this.#isFinal = isFinal(run.state);
    const when = run.created === null ? "" : formatWhen(run.created, now);
    setText(this.#title, this.session.jobTitle(run.job));
    setText(this.#told, `, ${run.state}, ${when}`);
    setText(this.#user, run.user);
    const params = paramsText(run);
    setText(this.#params, params);
    this.#params.title = params;
    setText(this.#when, when);
    if (run.created !== null) {
      this.#when.dateTime = new Date(run.created).toISOString();
      this.#when.title = new Date(run.created).toLocaleString();
    }
    const elapsed = elapsedOf(run, now);
    setText(this.#took, elapsed === null ? "" : formatElapsed(elapsed));
    setChip(this.#chip, run.state);
    const exit = run.state === "succeeded" ? "" : exitText(run);
    setText(this.#exit, exit);
    this.#exit.title = exit;
    setText(this.#bytes, formatBytes(run.outputBytes));
    const lines = counted(run.outputLines, "line");
    this.element.classList.toggle("is-removed", run.outputRemoved);
    setText(this.#lines, run.outputRemoved ? "removed" : formatCount(run.outputLines));
    this.#lines.title = run.outputRemoved ? `${lines}, no longer kept` : "";
    this.#lines.dataset["unit"] = run.outputRemoved ? "" : lines.replace(/^\S+/, "");
  }
}

function cell(name: string, ...children: HTMLElement[]): HTMLTableCellElement {
  const made = el("td", `past-${name}`, ...children);
  made.setAttribute("role", "cell");
  return made;
}
