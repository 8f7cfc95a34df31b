const PREFIX = "flask-realtime.";

/** A choice of the reader that outlives the page; storage may be forbidden or full, then it does not. */
export function readPreference(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    // Forbidden by the browser's settings: every choice has a default.
    return null;
  }
}

export function writePreference(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Forbidden or full: the choice holds for this visit only.
  }
}
