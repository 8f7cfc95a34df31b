import type { RunState } from "../connection/protocol";
import { el, setText } from "./dom";

/** The coloured word for a run's state. */
export function statusChip(): HTMLSpanElement {
  return el("span", "chip");
}

export function setChip(chip: HTMLElement, state: RunState): void {
  if (chip.dataset["state"] === state) return;
  chip.dataset["state"] = state;
  setText(chip, state);
}
