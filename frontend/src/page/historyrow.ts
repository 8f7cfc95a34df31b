import { isFinal, type Run } from "../connection/protocol";
import { el, setText } from "./dom";
import { counted, elapsedOf, exitText, formatBytes, formatCount, formatElapsed, formatWhen, paramsText } from "./format";
import { leadTo } from "./placelink";
import { ProgressBar } from "./progressbar";
import { isAlarming, isAsking, leftText, processesText, underWayText } from "./runwords";
import { AgainButton } from "./runagain";
import type { Session } from "./session";
import { setChip, statusChip, waitsBadge } from "./statuschip";

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
  { name: "again", title: "" },
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
  readonly #waits = waitsBadge();
  readonly #exit = el("span", "past-exit");
  readonly #bar = new ProgressBar();
  readonly #bytes = cell("bytes");
  readonly #lines = cell("lines");
  readonly #again: AgainButton;
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
    const state = cell("state", this.#chip, this.#waits, this.#exit, this.#bar.element);
    this.element.setAttribute("role", "row");
    this.#again = new AgainButton(session, true);
    const again = cell("again", this.#again.element);
    this.element.append(head, this.#user, this.#params, when, this.#took, state, this.#bytes, this.#lines, again);
    // The whole row leads there, except while text is being selected.
    this.element.addEventListener("click", (event) => {
      if (event.defaultPrevented || event.target instanceof HTMLAnchorElement) return;
      if (this.#link.contains(event.target as Node) || !getSelection()?.isCollapsed) return;
      if (event.target instanceof HTMLButtonElement) return;
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
    this.#again.update(run);
    setText(this.#title, this.session.jobTitle(run.job));
    const asks = isAsking(run);
    setText(this.#told, `, ${run.state}${asks ? ", waits for input" : ""}, ${when}`);
    this.#waits.hidden = !asks;
    this.#bar.update(run, this.session.jobTitle(run.job));
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
    const end = run.state === "succeeded" ? "" : exitText(run);
    const exit = [leftText(run) || (asks ? "" : underWayText(run)), end, processesText(run.processes)].filter((part) => part !== "").join(" · ");
    setText(this.#exit, exit);
    this.#exit.classList.toggle("is-alarm", isAlarming(run));
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
