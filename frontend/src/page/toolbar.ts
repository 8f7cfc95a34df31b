import { button, el, setPressed } from "./dom";
import { readPreference, writePreference } from "./preferences";

/** What the toolbar's buttons do. */
export interface ToolbarActions {
  clear(): void;
  search(): void;
  goToLine(): void;
  copy(): void;
  follow(): void;
  wrap(on: boolean): void;
  times(on: boolean): void;
  numbers(on: boolean): void;
  fullScreen(): void;
}

const NARROW = "(max-width: 760px)";

/** The buttons over the log window. Wrap, timestamps and line numbers are remembered. */
export class Toolbar {
  readonly element = el("div", "toolbar");
  readonly #follow: HTMLButtonElement;

  /** @param lead what stands before the buttons that are always there */
  constructor(actions: ToolbarActions, lead: readonly HTMLElement[], download: HTMLElement) {
    this.element.setAttribute("role", "toolbar");
    this.element.setAttribute("aria-label", "Output");
    const search = button("Search", "button quiet", actions.search);
    search.title = "Search the output ( / or Ctrl+F )";
    const line = button("Line", "button quiet", actions.goToLine);
    line.title = "Go to a line, or get a link to it ( g )";
    this.#follow = button("Follow", "button quiet", actions.follow);
    this.#follow.title = "Keep to the end of the output";
    setPressed(this.#follow, true);
    const clear = button("Clear", "button quiet", actions.clear);
    clear.title = "Clear what is shown; the output itself is kept";
    const copy = button("Copy", "button quiet", actions.copy);
    copy.title = "Copy the selection, or all lines when nothing is selected";
    // A phone is narrower than any log line.
    const wrapDefault = matchMedia(NARROW).matches;
    this.element.append(
      ...lead,
      this.#follow,
      search,
      line,
      clear,
      toggle("Wrap", "wrap", wrapDefault, actions.wrap),
      toggle("Times", "times", false, actions.times),
      toggle("Numbers", "numbers", true, actions.numbers),
      copy,
      download,
      button("Full screen", "button quiet", actions.fullScreen),
    );
  }

  showFollowing(following: boolean): void {
    setPressed(this.#follow, following);
  }
}

function toggle(
  label: string,
  name: string,
  byDefault: boolean,
  apply: (on: boolean) => void,
): HTMLButtonElement {
  const stored = readPreference(name);
  let isOn = stored === null ? byDefault : stored === "on";
  const control = button(label, "button quiet", () => {
    isOn = !isOn;
    writePreference(name, isOn ? "on" : "off");
    setPressed(control, isOn);
    apply(isOn);
  });
  setPressed(control, isOn);
  apply(isOn);
  return control;
}
