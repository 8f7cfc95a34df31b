/** The border for what a server tells of runs. */
import { count, countOr, fields, flag, isFields, list, malformed, moment, numberOrNull, text, textOr } from "./fields";
import {
  PROGRESS_SOURCES,
  RUN_STATES,
  type Processes,
  type Progress,
  type Run,
  type RunExit,
  type RunPage,
  type RunState,
  type Waiting,
} from "./protocol";

function isRunState(value: string): value is RunState {
  return (RUN_STATES as readonly string[]).includes(value);
}

function readExit(value: unknown): RunExit | null {
  if (value === undefined || value === null) return null;
  const from = fields(value, "exit");
  const code = from["code"];
  if (code !== null && code !== undefined && typeof code !== "number") throw malformed("code", code);
  return { code: code ?? null, reason: textOr(from, "reason", "") };
}

/** Also what a report says of it. */
export function readWaiting(value: unknown): Waiting | null {
  if (value === undefined || value === null) return null;
  const from = fields(value, "waiting");
  return { since: moment(from, "since"), hidden: flag(from, "hidden"), prompt: textOr(from, "prompt", "") };
}

function readProgress(value: unknown): Progress | null {
  if (value === undefined || value === null) return null;
  const from = fields(value, "progress");
  const percent = numberOrNull(from, "percent");
  const eta = numberOrNull(from, "eta_seconds");
  return {
    percent: percent === null ? null : Math.min(100, Math.max(0, percent)),
    done: numberOrNull(from, "done"),
    total: numberOrNull(from, "total"),
    etaSeconds: eta === null ? null : Math.max(0, eta),
    source: PROGRESS_SOURCES.find((each) => each === from["source"]) ?? "bar",
    label: textOr(from, "label", ""),
  };
}

function readProcesses(value: unknown): Processes | null {
  if (value === undefined || value === null) return null;
  const from = fields(value, "processes");
  return { ended: count(from, "ended"), left: count(from, "left") };
}

export function readRun(value: unknown): Run {
  const from = fields(value, "run");
  const state = text(from, "state");
  if (!isRunState(state)) throw malformed("state", state);
  const params = from["params"];
  return {
    id: text(from, "id"),
    job: text(from, "job"),
    params: isFields(params) ? params : {},
    user: textOr(from, "user", ""),
    state,
    created: moment(from, "created"),
    started: moment(from, "started"),
    ended: moment(from, "ended"),
    exit: readExit(from["exit"]),
    outputBytes: count(from, "output_bytes"),
    outputLines: countOr(from, "output_lines", 0),
    outputRemoved: flag(from, "output_removed"),
    executor: textOr(from, "executor", ""),
    isolation: textOr(from, "isolation", ""),
    host: textOr(from, "host", ""),
    queue: textOr(from, "queue", ""),
    attempt: countOr(from, "attempt", 1),
    attempts: countOr(from, "attempts", 1),
    stopRequested: moment(from, "stop_requested"),
    stopReason: textOr(from, "stop_reason", ""),
    stopOverdue: flag(from, "stop_overdue"),
    stopGrace: countOr(from, "stop_grace", null),
    queuePosition: countOr(from, "queue_position", null),
    waiting: readWaiting(from["waiting"]),
    progress: readProgress(from["progress"]),
    processes: readProcesses(from["processes"]),
  };
}

/** `{"run": Run}`: the `status` event, and the acknowledgement of `start` and `stop`. */
export function readRunOf(value: unknown): Run {
  return readRun(fields(value, "status")["run"]);
}

/** `{"runs": [Run], "next"}` of `GET api/runs`. */
export function readRunPage(value: unknown): RunPage {
  const from = fields(value, "list of runs");
  return { runs: list(from, "runs").map(readRun), next: textOr(from, "next", "") || null };
}
