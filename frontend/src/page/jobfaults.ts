import { button, el, setText } from "./dom";
import { counted } from "./format";
import { readPreference, writePreference } from "./preferences";

/** The code of the notice that names what of the jobs folder could not be loaded. */
export const JOBS_FOLDER = "jobs_folder";

/** The preference that holds the faults that were put away. */
const PUT_AWAY = "faults-put-away";

/** Why a file of the jobs folder gave no jobs. `place` is its path, and the line if one is to blame. */
export interface JobFault {
  readonly place: string;
  readonly message: string;
}

/** The faults of a notice, one a line: `file:line: message`. What is none belongs to the line before. */
export function faultsOf(text: string): JobFault[] {
  const faults: { place: string; message: string }[] = [];
  for (const line of text.split("\n").filter((each) => each.trim() !== "")) {
    const found = /^(\/.*?|[A-Za-z]:\\.*?)(:\d+)?: (.*)$/.exec(line);
    const last = faults.at(-1);
    if (found) faults.push({ place: `${found[1]}${found[2] ?? ""}`, message: found[3] ?? "" });
    else if (last) last.message += `\n${line}`;
    else faults.push({ place: "", message: line });
  }
  return faults;
}

/** The folder that all faults have in common, with a slash at its end; empty if there is none. */
export function folderOf(faults: readonly JobFault[]): string {
  const folders = faults.map(({ place }) => place.slice(0, place.lastIndexOf("/") + 1));
  const [first = ""] = folders;
  return folders.every((folder) => folder === first) ? first : "";
}

/** Jobs that could not be loaded: a notice that can be put away, and a button that brings it back. */
export class JobFaults {
  readonly notice = el("section", "notice job-faults");
  readonly button: HTMLButtonElement;
  readonly #title = el("p", "job-faults-title");
  readonly #list = el("ul", "job-faults-list");
  /** Shows all of them, or as many as have room. */
  readonly #more: HTMLButtonElement;
  #isWhole = false;
  #text = "";
  #isPutAway = false;

  constructor() {
    this.button = button("", "button quiet job-faults-button", () => this.#putAway(!this.notice.hidden));
    this.button.hidden = true;
    this.notice.id = "job-faults";
    this.notice.hidden = true;
    this.notice.tabIndex = -1;
    this.notice.setAttribute("aria-label", "What could not be loaded");
    this.button.setAttribute("aria-controls", this.notice.id);
    const close = button("Dismiss", "button quiet", () => this.#putAway(true));
    this.#more = button("", "button quiet job-faults-more", () => {
      this.#isWhole = !this.#isWhole;
      this.#fit();
    });
    this.#list.id = "job-faults-list";
    this.#more.setAttribute("aria-controls", this.#list.id);
    this.notice.append(el("div", "notice-text", this.#title, this.#list, this.#more), close);
    // It is narrower or wider, or shown again.
    new ResizeObserver(() => this.#fit()).observe(this.#list);
  }

  /** What the server says now. What was put away stays away until it says something else. */
  show(text: string): void {
    this.button.hidden = false;
    if (text !== this.#text) {
      this.#text = text;
      this.#isPutAway = readPreference(PUT_AWAY) === text;
      this.#fill(faultsOf(text));
    }
    this.#setShown(!this.#isPutAway);
  }

  /** All is well, or the server is gone: it says so again when it is back. */
  clear(): void {
    this.button.hidden = true;
    this.#setShown(false);
  }

  #fill(faults: readonly JobFault[]): void {
    const folder = folderOf(faults);
    const where = folder === "" ? "the jobs folder" : folder.replace(/\/$/, "");
    setText(this.#title, `${counted(faults.length, "file")} of ${where} could not be loaded:`);
    setText(this.button, `${faults.length} not loaded`);
    this.#list.replaceChildren(...faults.map((fault) => faultItem(fault, folder)));
    this.#isWhole = false;
    this.#fit();
  }

  /** Says how many have no room. */
  #fit(): void {
    this.#list.classList.toggle("is-whole", this.#isWhole);
    const items = [...this.#list.children];
    for (const item of items) item.classList.remove("is-beyond");
    const end = this.#list.getBoundingClientRect().bottom + 1;
    const beyond = items.filter((item) => !this.#isWhole && item.getBoundingClientRect().bottom > end);
    // None is shown in part, unless it is the only one.
    for (const item of beyond) item.classList.toggle("is-beyond", item !== items[0]);
    setText(this.#more, this.#isWhole ? "Show fewer" : moreText(beyond.length, items.length));
    this.#more.hidden = !this.#isWhole && beyond.length === 0;
    this.#more.setAttribute("aria-expanded", String(this.#isWhole));
    if (this.#isWhole) this.#list.tabIndex = 0;
    else this.#list.removeAttribute("tabindex");
  }

  #putAway(isPutAway: boolean): void {
    this.#isPutAway = isPutAway;
    writePreference(PUT_AWAY, isPutAway ? this.#text : "");
    this.#setShown(!isPutAway);
    if (isPutAway) this.button.focus();
    else this.notice.focus();
  }

  #setShown(isShown: boolean): void {
    this.notice.hidden = !isShown;
    this.button.setAttribute("aria-expanded", String(isShown));
  }
}

function moreText(beyond: number, all: number): string {
  return all === 1 ? "Show all of it" : `${beyond} more: show all ${all}`;
}

function faultItem({ place, message }: JobFault, folder: string): HTMLElement {
  const name = el("code", "job-fault-place", place.slice(folder.length));
  name.title = place;
  return el("li", "", place === "" ? null : name, el("span", "job-fault-message", message));
}
