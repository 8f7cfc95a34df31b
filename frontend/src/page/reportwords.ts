import type { Report, ReportedProcess, ReportedThread, StackFrame } from "../connection/report";
import { formatBytes } from "./format";
import { formatDuration } from "./runwords";

/** What a report of a running run says, in words and as text. */

/** From here on a run computes, even if it is not said so. */
const BUSY_PERCENT = 50;
/** Files that are not the job's own: Python's library, and what was installed. */
const LIBRARY = /^<frozen |[\\/](lib(64)?[\\/]python\d|site-packages|dist-packages)/;
/** Where an event loop waits for all of its coroutines. */
const LOOP = /[\\/](asyncio[\\/]\w+|selectors)\.py$/;
const STATES: Readonly<Record<string, string>> = {
  R: "running",
  S: "sleeping",
  D: "waiting for a disk",
  T: "stopped",
  t: "traced",
  Z: "ended",
  X: "ended",
  I: "idle",
};

/** The one sentence that answers why nothing is printed; of a run that is over, what it did last. */
export function answerOf(report: Report, isOver = false): string {
  const answer = nowOf(report);
  return isOver ? `Before it ended: ${answer.charAt(0).toLowerCase()}${answer.slice(1)}` : answer;
}

function nowOf(report: Report): string {
  const { waiting, doing, cpuPercent } = report;
  if (waiting) {
    const asked = waiting.prompt.trim();
    return asked === "" ? "It waits for input." : `It waits for input: “${asked}”`;
  }
  const busy = cpuPercent === null ? "" : `: ${coresText(cpuPercent)}`;
  const place = placeOf(report);
  const where = place === "" ? "" : ` in ${place}`;
  if (doing === "computing" || (doing === "" && (cpuPercent ?? 0) >= BUSY_PERCENT)) {
    return where === "" ? `It computes${busy}.` : `It computes${busy}${busy === "" ? "" : ","}${where}`;
  }
  if (doing === "sleeping") return `It sleeps${where === "" ? "." : where}`;
  if (doing === "waiting for room") return "It waits until its output has been taken: it prints faster than that.";
  if (doing === "waiting for input") return "It waits for input.";
  if (doing === "") return where === "" ? "It does nothing that can be told." : `It is${where}`;
  return `It is ${doing}${where === "" ? "." : where}`;
}

/** `98 % of a core`, `2.4 cores`. */
export function coresText(percent: number): string {
  if (percent < 150) return `${Math.round(percent)} % of a core`;
  return `${(percent / 100).toFixed(1)} cores`;
}

/** The line that tells most; without Python code, the process that does. Empty where nothing is known. */
function placeOf({ threads, processes, doing }: Report): string {
  const first = threads.find((thread) => thread.doing === doing) ?? threads[0];
  // An event loop is where its coroutines are.
  const inLoop = LOOP.test(first?.stack.at(-1)?.file ?? "");
  const within = inLoop ? threads.find((each) => each !== first && ownFrame(each) !== null) : undefined;
  const frame = ownFrame(within ?? first) ?? first?.stack.at(-1);
  if (frame) return frameText(frame);
  const process = doing === "computing" ? busiest(processes) : innermost(processes);
  return process ? `process ${process.pid}: ${process.command}` : "";
}

/** The job's own line that is innermost. */
function ownFrame(thread: ReportedThread | undefined): StackFrame | null {
  return thread?.stack.filter(({ file }) => !LIBRARY.test(file)).at(-1) ?? null;
}

function busiest(processes: readonly ReportedProcess[]): ReportedProcess | undefined {
  return [...processes].sort((a, b) => (b.cpuPercent ?? 0) - (a.cpuPercent ?? 0))[0];
}

/** The last one that has started no other: what the others wait for. */
function innermost(processes: readonly ReportedProcess[]): ReportedProcess | undefined {
  return processes.filter(({ pid }) => !processes.some(({ parent }) => parent === pid)).at(-1);
}

/** `line 12 of greet.py: time.sleep(60)`. */
export function frameText({ file, line, code }: StackFrame): string {
  const name = file.split(/[\\/]/).at(-1) ?? file;
  const place = line === 0 ? name : `line ${line} of ${name}`;
  return code.trim() === "" ? place : `${place}: ${code.trim()}`;
}

export function stateText(state: string): string {
  return STATES[state] ?? state;
}

/** One line of the table of processes; what is not known is empty. */
export interface ProcessRow {
  readonly depth: number;
  readonly pid: string;
  readonly command: string;
  readonly state: string;
  readonly cpu: string;
  readonly memory: string;
  readonly time: string;
}

/** The processes as a tree: each below its parent, in the order in which they are told. */
export function processRows(processes: readonly ReportedProcess[]): ProcessRow[] {
  const pids = new Set(processes.map(({ pid }) => pid));
  const seen = new Set<number>();
  const rows: ProcessRow[] = [];
  const add = (process: ReportedProcess, depth: number) => {
    if (seen.has(process.pid)) return;
    seen.add(process.pid);
    rows.push(rowOf(process, depth));
    for (const each of processes) if (each.parent === process.pid) add(each, depth + 1);
  };
  for (const process of processes) if (!pids.has(process.parent)) add(process, 0);
  // Whatever the numbers are, none is lost.
  for (const process of processes) add(process, 0);
  return rows;
}

function rowOf({ pid, command, state, cpuPercent, memoryBytes, seconds }: ReportedProcess, depth: number): ProcessRow {
  return {
    depth,
    pid: String(pid),
    command,
    state: stateText(state),
    cpu: cpuPercent === null ? "" : `${Math.round(cpuPercent)} %`,
    memory: memoryBytes === null ? "" : formatBytes(memoryBytes),
    time: seconds === null ? "" : formatDuration(seconds),
  };
}

/** `MainThread, sleeping`. */
export function threadTitle({ name, doing }: ReportedThread): string {
  return [name || "A thread", doing].filter((part) => part !== "").join(", ");
}

/** A stack as one reads it from where it is now: the innermost call first. */
export function stackLines({ stack }: ReportedThread): string[] {
  return [...stack].reverse().map((frame) => {
    const called = frame.function === "" ? "" : ` in ${frame.function}`;
    const place = `${frame.file}:${frame.line}${called}`;
    return frame.code.trim() === "" ? place : `${place}\n    ${frame.code.trim()}`;
  });
}

/** All of the report as text, to be copied. `title` says of which run. */
export function reportText(report: Report, title: string): string {
  const lines = [
    `${title}${report.time === null ? "" : `, ${new Date(report.time).toISOString()}`}`,
    `Silent for ${formatDuration(report.silentSeconds)}. ${answerOf(report)}`,
  ];
  if (report.note !== "") lines.push(report.note);
  const rows = processRows(report.processes);
  if (rows.length > 0) lines.push("", "Processes:");
  for (const { depth, pid, command, state, cpu, memory, time } of rows) {
    const facts = [state, cpu, memory, time].filter((fact) => fact !== "").join(", ");
    lines.push(`${"  ".repeat(depth + 1)}${pid} ${command}${facts === "" ? "" : ` (${facts})`}`);
  }
  for (const thread of report.threads) {
    lines.push("", `${threadTitle(thread)}, innermost call first:`, ...stackLines(thread).map(indented));
  }
  return `${lines.join("\n")}\n`;
}

function indented(lines: string): string {
  return lines.replace(/^/gm, "  ");
}
