/** Moments as the browser's controls have them, in its own time zone, and as RFC 3339 has them. */

/** `+01:00`, the offset of the browser's time zone at a moment. */
export function offsetAt(moment: Date): string {
  const minutes = -moment.getTimezoneOffset();
  const two = (value: number) => String(Math.floor(Math.abs(value))).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}

/** `Europe/Berlin`, the browser's time zone. */
export function timeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The text of a control, with the offset that holds at `moment` where one is wanted. */
export function zonedText(text: string, zoned: boolean, moment: Date): string {
  return zoned ? text + offsetAt(moment) : text;
}

/**
 * The moment `text` of RFC 3339 as `2026-11-21T13:30:00` for a control; null when it is none. One with an offset
 * becomes one of the browser's time zone if `zoned`, and none that fits otherwise.
 */
export function localText(text: string, zoned: boolean): string | null {
  const found = /^(\d{4,}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(\.\d+)?(Z|[+-]\d\d:\d\d)?$/i.exec(text);
  if (!found || Number.isNaN(Date.parse(text))) return null;
  const [, clock = "", fraction = "", offset] = found;
  if (offset === undefined) return clock.toUpperCase() + fraction.slice(0, 4);
  if (!zoned) return null;
  const at = new Date(text);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19) + fraction.slice(0, 4);
}
