import type { Notice } from "../connection/protocol";
import { button, el } from "./dom";
import { JOBS_FOLDER, JobFaults } from "./jobfaults";

/** How long a passing remark stays. */
const PASSING_MS = 6_000;

/** The strip of notices below the header: lasting ones by code, and remarks that fade. */
export class Notices {
  readonly element = el("div", "notices");
  readonly jobFaults = new JobFaults();
  readonly #lasting = new Map<string, HTMLElement>();
  readonly #remarks = el("div", "remarks");

  constructor() {
    this.element.setAttribute("role", "status");
    this.element.append(this.jobFaults.notice);
    this.#remarks.setAttribute("role", "status");
    document.body.append(this.#remarks);
  }

  /** Shows or removes what the server reports. */
  apply(notice: Notice): void {
    if (notice.code === JOBS_FOLDER) {
      if (notice.active) this.jobFaults.show(notice.message);
      else this.jobFaults.clear();
    } else if (notice.active) this.show(notice.code, notice.message);
    else this.remove(notice.code);
  }

  show(
    code: string,
    message: string,
    kind: "warning" | "error" = "warning",
    link?: { readonly text: string; readonly href: string },
  ): void {
    const known = this.#lasting.get(code);
    const text = el("span", "notice-text", message);
    const close = button("Dismiss", "button quiet", () => this.remove(code));
    const row = el("div", `notice is-${kind}`, text);
    if (link) {
      const anchor = el("a", "button", link.text);
      anchor.href = link.href;
      row.append(anchor);
    }
    row.append(close);
    if (known) known.replaceWith(row);
    else this.element.append(row);
    this.#lasting.set(code, row);
  }

  remove(code: string): void {
    this.#lasting.get(code)?.remove();
    this.#lasting.delete(code);
  }

  /** Forgets what a server reported that is gone; it reports again when it is back. */
  clear(): void {
    for (const code of [...this.#lasting.keys()]) this.remove(code);
    this.jobFaults.clear();
  }

  /** A remark that fades by itself. */
  remark(message: string): void {
    const row = el("div", "remark", message);
    this.#remarks.append(row);
    setTimeout(() => row.classList.add("is-leaving"), PASSING_MS);
    setTimeout(() => row.remove(), PASSING_MS + 600);
  }
}
