import { addressOf, type Place } from "./place";
import type { Session } from "./session";

/** Makes a link lead to a place of the page: without loading it anew, but in a new tab when that is asked for. */
export function leadTo(link: HTMLAnchorElement, session: Session, place: Place): void {
  link.href = addressOf(place, session.config.pageBase);
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button !== 0) return;
    event.preventDefault();
    session.go(place);
  });
}
