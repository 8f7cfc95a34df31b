import type { RunState, ServiceState } from "../connection/protocol";
import { el, setText } from "./dom";

/** The coloured word for the state of a run, or of an app. */
export function statusChip(): HTMLSpanElement {
  return el("span", "chip");
}

/** What stands beside the state of a run that waits for somebody to type. */
export function waitsBadge(): HTMLSpanElement {
  const badge = el("span", "waits", "waits for input");
  badge.hidden = true;
  return badge;
}

export function setChip(chip: HTMLElement, state: RunState | ServiceState): void {
  if (chip.dataset["state"] === state) return;
  chip.dataset["state"] = state;
  setText(chip, state);
}
