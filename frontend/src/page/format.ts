import { isFields } from "../connection/fields";
import type { Run } from "../connection/protocol";

const integers = new Intl.NumberFormat();

export function formatCount(value: number): string {
  return integers.format(value);
}

/** `1 line`, `2 lines`. */
export function counted(value: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(value)} ${value === 1 ? singular : plural}`;
}

/** A duration as `0:07`, `12:03` or `1:02:03`. */
export function formatElapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** `17 B`, `4.2 kB`, `1.3 MB`: decimal units. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit > 0 && value < 99.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** When something was, as short as it can be told on `now`'s day. */
export function formatWhen(ms: number, now: number): string {
  const at = new Date(ms);
  const sameDay = at.toDateString() === new Date(now).toDateString();
  const sameYear = at.getFullYear() === new Date(now).getFullYear();
  return at.toLocaleString(undefined, {
    ...(sameDay ? {} : { month: "short", day: "numeric" }),
    ...(sameYear ? {} : { year: "numeric" }),
    hour: "2-digit",
    minute: "2-digit",
    ...(sameYear ? { second: "2-digit" } : {}),
    hourCycle: "h23",
  });
}

/** How long the run has been going, or went; null before it starts. */
export function elapsedOf(run: Run, now: number): number | null {
  if (run.started === null) return null;
  return Math.max(0, (run.ended ?? now) - run.started);
}

/** How the run ended, in words; empty while it runs or when the state says it all. */
export function exitText(run: Run): string {
  if (!run.exit) return "";
  const { code, reason } = run.exit;
  // "exited with code 2" says it already.
  const isTold = code === null || code === 0 || new RegExp(`\\bcode ${code}\\b`).test(reason);
  const parts = [reason, isTold ? "" : `exit code ${code}`];
  return parts.filter((part) => part !== "" && part !== run.state).join(" · ");
}

/** What a run was started with, in one line. */
export function paramsText(run: Run): string {
  return Object.entries(run.params)
    .filter(([, value]) => value !== null && value !== "")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${valueText(value)}`)
    .join("  ");
}

/** Of an uploaded file, a record has the name and the size. */
function valueText(value: unknown): string {
  if (typeof value === "string") return value;
  if (isFields(value) && Object.keys(value).sort().join() === "bytes,name") {
    const { name, bytes } = value;
    if (typeof name === "string" && typeof bytes === "number") return `${name} (${formatBytes(bytes)})`;
  }
  return JSON.stringify(value);
}
