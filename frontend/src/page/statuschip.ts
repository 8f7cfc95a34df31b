import type { RunState, ServiceState } from "../connection/protocol";
import { el, setText } from "./dom";

/** The coloured word for the state of a run, or of an app. */
export function statusChip(): HTMLSpanElement {
  return el("span", "chip");
}

export function setChip(chip: HTMLElement, state: RunState | ServiceState): void {
  if (chip.dataset["state"] === state) return;
  chip.dataset["state"] = state;
  setText(chip, state);
}
