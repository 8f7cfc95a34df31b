import type { Missing } from "../terminal/types";
import { LOAD_ALL_BYTES, LOAD_BYTES, type Way } from "./loader";

const numbers = new Intl.NumberFormat();

/** What a row says of output that is not here, with the buttons that load some of it. */
export function missingNote(missing: Missing): HTMLElement {
  const note = document.createElement("span");
  note.className = "row-gap";
  const text = document.createElement("span");
  text.textContent = sentence(missing);
  note.append(text);
  note.classList.toggle("is-gone", missing.isGone);
  if (missing.isGone) return note;
  if (missing.failure !== "") {
    const failure = document.createElement("span");
    failure.className = "row-gap-failure";
    failure.textContent = missing.failure;
    note.append(failure);
  }
  for (const [way, label, title] of ways(missing)) {
    const control = document.createElement("button");
    control.type = "button";
    control.className = "row-load";
    control.dataset["way"] = way;
    control.textContent = label;
    control.title = title;
    control.disabled = missing.isLoading;
    note.append(control);
  }
  return note;
}

/** How much is missing, and which lines. */
export function sentence({ bytes, firstNumber, lastNumber, isGone, isLoading, failure }: Missing): string {
  const size = `${numbers.format(bytes)} bytes`;
  // The reason needs the room.
  if (failure !== "") return `${size} not loaded:`;
  const lines =
    firstNumber === lastNumber
      ? `in line ${numbers.format(firstNumber)}`
      : `lines ${numbers.format(firstNumber)} to ${numbers.format(lastNumber)}`;
  const state = isGone ? "no longer kept" : isLoading ? "loading…" : "not loaded";
  return `${size} ${state} (${lines})`;
}

function ways({ bytes, hasBefore, hasAfter }: Missing): [Way, label: string, title: string][] {
  if (bytes <= LOAD_BYTES) return [[hasBefore ? "next" : "previous", "Load", "Load these lines"]];
  const next: [Way, string, string] = hasBefore
    ? ["next", "Load next", "Load the lines that follow those above"]
    : ["next", "Load first", "Load the first of these lines"];
  const all: [Way, string, string][] = bytes <= LOAD_ALL_BYTES ? [["all", "Load all", "Load all of these lines"]] : [];
  return hasAfter ? [next, ["previous", "Load previous", "Load the lines before those below"], ...all] : [next, ...all];
}
