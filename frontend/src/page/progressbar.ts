import type { Run } from "../connection/protocol";
import { el } from "./dom";
import { progressOf, progressText } from "./runwords";

/** A thin bar of how far a run is. It lies over an edge of what it belongs to: nothing moves when it appears. */
export class ProgressBar {
  readonly element = el("progress", "progress-bar");

  constructor() {
    this.element.max = 100;
    this.element.hidden = true;
  }

  /** @param name what the run is called */
  update(run: Run, name: string): void {
    const progress = progressOf(run);
    const percent = progress?.percent ?? null;
    this.element.hidden = percent === null;
    if (!progress || percent === null) return;
    this.element.value = percent;
    this.element.setAttribute("aria-label", `Progress of ${name}`);
    this.element.setAttribute("aria-valuetext", progressText(progress));
  }
}
