import { type Processes, type Progress, type Run } from "../connection/protocol";
import { counted, formatCount } from "./format";

/** What is told of a run beside its state, in words: its place in the queue, how far it is, what was ended with it. */

const ordinals = new Intl.PluralRules("en", { type: "ordinal" });
const SUFFIXES: Readonly<Record<string, string>> = { one: "st", two: "nd", few: "rd", other: "th" };

/** `1st`, `2nd`, `3rd`, `11th`. */
export function ordinal(value: number): string {
  return `${formatCount(value)}${SUFFIXES[ordinals.select(value)] ?? "th"}`;
}

/** The queue that workers take runs from, unless they are told otherwise. */
const DEFAULT_QUEUE = "default";

/** What a queued run waits for: its turn, or a worker; empty when it is not queued, or its server does not say. */
export function queueText(run: Run): string {
  if (run.state !== "queued") return "";
  if (run.queuePosition !== null) return `waiting, ${ordinal(run.queuePosition)} in line`;
  if (run.queue === "") return "";
  const which = run.queue === DEFAULT_QUEUE ? "" : ` of ${run.queue}`;
  return `waiting for a worker${which}`;
}

/** On which worker a run is, or was, and that it was begun again; empty for a run of the server itself. */
export function workerText(run: Run): string {
  if (run.queue === "") return "";
  const where = run.host === "" ? "" : `on ${run.host}`;
  const again = run.attempt > 1 ? `attempt ${formatCount(run.attempt)} of ${formatCount(run.attempts)}` : "";
  return [where, again].filter((part) => part !== "").join(", ");
}

/** Whether the run waits for somebody to type. */
export function isAsking(run: Run | undefined): boolean {
  return run !== undefined && run.waiting !== null && run.state === "running";
}

/** `12 s`, `3 min 20 s`, `45 min`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 10) return two(minutes, "min", whole % 60, "s");
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return two(hours, "h", minutes % 60, "min");
  return two(Math.floor(hours / 24), "d", hours % 24, "h");
}

function two(first: number, unit: string, second: number, smaller: string): string {
  return second === 0 ? `${formatCount(first)} ${unit}` : `${formatCount(first)} ${unit} ${second} ${smaller}`;
}

/** How far a run under way is; null when it does not say, is not under way, or has ended. */
export function progressOf(run: Run): Progress | null {
  return isGoing(run) ? run.progress : null;
}

/** `45 %, 12 s left`; where the total is not known, how much is done: `1,234 so far`. */
export function progressText(progress: Progress): string {
  const { percent, done, total, etaSeconds } = progress;
  if (percent !== null) {
    // 100 % is for what is done: 99.7 is 99.
    const left = etaSeconds === null || percent >= 100 ? "" : `, ${formatDuration(etaSeconds)} left`;
    return `${Math.floor(percent)} %${left}`;
  }
  if (done === null) return "";
  return total === null ? `${formatAmount(done)} so far` : `${formatAmount(done)} of ${formatAmount(total)}`;
}

/** The same with what the job calls it. */
export function labelledProgress(progress: Progress): string {
  const said = progressText(progress);
  const label = progress.label.trim();
  if (label === "" || said === "") return said || label;
  return `${label}: ${said}`;
}

const amounts = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

function formatAmount(value: number): string {
  return amounts.format(value);
}

/** `3 processes ended, 0 left`; empty when there was none to end. */
export function processesText(processes: Processes | null): string {
  if (!processes || (processes.ended === 0 && processes.left === 0)) return "";
  return `${counted(processes.ended, "process", "processes")} ended, ${formatCount(processes.left)} left`;
}

/** What should not be overlooked: processes that could not be ended. */
export function isAlarming(run: Run): boolean {
  return (run.processes?.left ?? 0) > 0;
}

/** What a list says of processes: those that are left, before all else. */
export function leftText(run: Run): string {
  return run.processes && isAlarming(run) ? `${counted(run.processes.left, "process", "processes")} left` : "";
}

/** So long a silence is told, and what the run does is offered to be looked at. */
const LONG_SILENCE_MS = 30_000;

/** Whether the job goes on. */
export function isGoing(run: Run | undefined): boolean {
  return run?.state === "running" || run?.state === "stopping";
}

/** `silent for 37 s`, once that is long and nobody knows why; `lastOutput` is null if there was none. Times in ms. */
export function silenceText(run: Run | undefined, lastOutput: number | null, now: number): string {
  if (!run || !isGoing(run) || isAsking(run)) return "";
  const silence = now - Math.max(lastOutput ?? 0, run.started ?? now);
  return silence < LONG_SILENCE_MS ? "" : `silent for ${formatDuration(silence / 1000)}`;
}

/** Why a run is stopping that nobody asked to; empty for the rest. */
function reasonText(run: Run): string {
  return run.state === "stopping" ? run.stopReason : "";
}

/** The same in a word, where there is room for no more: the bound that it broke. */
export function boundText(run: Run): string {
  const reason = reasonText(run);
  return /\((\w+)\)$/.exec(reason)?.[1] ?? reason;
}

/**
 * Why a run is stopping if nobody asked it to, and what comes of asking, `now` in ms; empty for one that was not
 * asked, or has just been.
 */
export function stoppingText(run: Run, now: number): string {
  return [reasonText(run), askingText(run, now)].filter((part) => part !== "").join(" · ");
}

function askingText(run: Run, now: number): string {
  if (run.state !== "stopping") return "";
  if (run.stopOverdue) return "the job ignores Stop";
  if (run.isolation !== "process") return "";
  if (run.stopGrace === null || run.stopRequested === null) return "asking it to end…";
  const passed = Math.max(0, now - run.stopRequested) / 1000;
  const left = Math.ceil(run.stopGrace - passed);
  return left > 0 ? `asking… ${formatDuration(left)} until it is ended by force` : "ending it by force…";
}

/** What a list says of a run under way in the place of when it began; empty for the rest. */
export function underWayText(run: Run): string {
  const progress = progressOf(run);
  return queueText(run) || reasonText(run) || (progress ? progressText(progress) : "");
}
