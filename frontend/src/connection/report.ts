/** The report of what a running run does now: its types, and the border for it. */
import { count, countOr, fields, list, moment, numberOrNull, text, textOr, type Fields } from "./fields";
import type { Waiting } from "./protocol";
import { readWaiting } from "./runreading";

export interface ReportedProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  /** As the system calls it, a letter or a word. */
  readonly state: string;
  /** 100: one core. */
  readonly cpuPercent: number | null;
  readonly memoryBytes: number | null;
  /** Since it was started. */
  readonly seconds: number | null;
}

export interface StackFrame {
  readonly file: string;
  /** Counted from 1; 0 where it is not known. */
  readonly line: number;
  readonly function: string;
  /** The line's text; empty where it is not known. */
  readonly code: string;
}

export interface ReportedThread {
  readonly name: string;
  readonly ident: number | null;
  readonly doing: string;
  /** The innermost call last. */
  readonly stack: readonly StackFrame[];
}

export interface Report {
  /** Ms since the epoch. */
  readonly time: number | null;
  /** Since the last byte of output, or since the start if there was none. */
  readonly silentSeconds: number;
  readonly state: string;
  readonly waiting: Waiting | null;
  /** `computing`, `sleeping`, ... */
  readonly doing: string;
  /** Of all processes; 100: one core. */
  readonly cpuPercent: number | null;
  readonly processes: readonly ReportedProcess[];
  readonly threads: readonly ReportedThread[];
  /** What cannot be told, and why. */
  readonly note: string;
}

/** `{"report": Report}`, the acknowledgement of `report`. */
export function readReport(value: unknown): Report {
  const from = fields(fields(value, "acknowledgement of report")["report"], "report");
  return {
    time: moment(from, "time"),
    silentSeconds: count(from, "silent_seconds"),
    state: textOr(from, "state", ""),
    waiting: readWaiting(from["waiting"]),
    doing: textOr(from, "doing", ""),
    cpuPercent: numberOrNull(from, "cpu_percent"),
    processes: listOr(from, "processes").map(readProcess),
    threads: listOr(from, "threads").map(readThread),
    note: textOr(from, "note", ""),
  };
}

function listOr(from: Fields, key: string): readonly unknown[] {
  const value = from[key];
  return value === undefined || value === null ? [] : list(from, key);
}

function readProcess(value: unknown): ReportedProcess {
  const from = fields(value, "process");
  return {
    pid: count(from, "pid"),
    parent: countOr(from, "parent", 0),
    command: text(from, "command"),
    state: textOr(from, "state", ""),
    cpuPercent: numberOrNull(from, "cpu_percent"),
    memoryBytes: countOr(from, "memory_bytes", null),
    seconds: countOr(from, "seconds", null),
  };
}

function readThread(value: unknown): ReportedThread {
  const from = fields(value, "thread");
  return {
    name: textOr(from, "name", ""),
    ident: numberOrNull(from, "ident"),
    doing: textOr(from, "doing", ""),
    stack: listOr(from, "stack").map(readFrame),
  };
}

function readFrame(value: unknown): StackFrame {
  const from = fields(value, "frame");
  return {
    file: textOr(from, "file", ""),
    line: countOr(from, "line", 0),
    function: textOr(from, "function", ""),
    code: textOr(from, "code", ""),
  };
}
