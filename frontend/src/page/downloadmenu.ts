import { outputAddress } from "./api";
import { button, el } from "./dom";

const GAP_PX = 4;

/** The output as files: a button that opens a short list of links. */
export function downloadMenu(apiBase: string, runId: string): HTMLElement {
  const list = el("div", "menu");
  list.id = "download-menu";
  list.popover = "auto";
  const link = (label: string, hint: string, format: "raw" | "text", isDownload: boolean) => {
    const made = el("a", "menu-item", el("span", "", label), el("span", "menu-hint", hint));
    made.href = outputAddress(apiBase, runId, format, isDownload);
    if (isDownload) made.download = `${runId}.${format === "raw" ? "log" : "txt"}`;
    else {
      made.target = "_blank";
      made.rel = "noopener";
    }
    made.addEventListener("click", () => list.hidePopover());
    return made;
  };
  list.append(
    link("Plain text", "Without colours and other escape sequences", "text", true),
    link("Raw", "Every byte as it was printed", "raw", true),
    link("Plain text in a new tab", "To read or to search it there", "text", false),
  );
  const opener = button("Download", "button quiet has-menu", () => undefined);
  opener.popoverTargetElement = list;
  opener.setAttribute("aria-expanded", "false");
  opener.setAttribute("aria-controls", list.id);
  list.addEventListener("toggle", (event) => {
    const isOpen = (event as ToggleEvent).newState === "open";
    opener.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) list.querySelector("a")?.focus();
  });
  // It stands on top of all else, so its place is not told by where it is in the page.
  list.addEventListener("beforetoggle", (event) => {
    if ((event as ToggleEvent).newState === "open") place(list, opener.getBoundingClientRect());
  });
  list.addEventListener("keydown", (event) => move(list, event));
  return el("span", "menu-holder", opener, list);
}

function place(list: HTMLElement, at: DOMRect): void {
  list.style.top = `${at.bottom + GAP_PX}px`;
  // Where there is no room to its right, it ends where the button ends.
  const isRight = at.left > window.innerWidth / 2;
  list.style.left = isRight ? "auto" : `${Math.max(GAP_PX, at.left)}px`;
  list.style.right = isRight ? `${Math.max(GAP_PX, window.innerWidth - at.right)}px` : "auto";
}

function move(list: HTMLElement, event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const items = [...list.querySelectorAll<HTMLElement>("a")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  items[(at + step + items.length) % items.length]?.focus();
}
