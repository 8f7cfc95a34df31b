/**
 * The border: what comes from the server is `unknown` until it has passed through here.
 * Every reader throws RequestError("malformed") and names what was wrong.
 */
import { count, countOr, fields, flag, isFields, list, malformed, moment, text, textOr, type Fields } from "./fields";
import {
  JOB_KINDS,
  RequestError,
  SERVICE_STATES,
  type Attached,
  type Bounds,
  type Excerpt,
  type FoundLine,
  type Gap,
  type Job,
  type Notice,
  type Output,
  type SearchAnswer,
  type Service,
  type ServiceChange,
  type ServiceState,
  type ServiceStatus,
} from "./protocol";
import { readRun } from "./runreading";

export { isFields } from "./fields";
export { readRun, readRunOf, readRunPage } from "./runreading";

function readFoundLine(value: unknown): FoundLine {
  const from = fields(value, "match");
  const characters = [...text(from, "text")];
  const before = characters.slice(0, count(from, "start")).join("").length;
  const found = characters.slice(count(from, "start"), count(from, "end")).join("").length;
  return { line: count(from, "line"), text: text(from, "text"), start: before, end: before + found };
}

/** The answer of `GET api/runs/<id>/search`, which counts characters. */
export function readSearchAnswer(value: unknown): SearchAnswer {
  const from = fields(value, "answer of the search");
  return {
    matches: list(from, "matches").map(readFoundLine),
    next: countOr(from, "next", null),
    searched: count(from, "searched"),
    end: count(from, "end"),
  };
}

export function readJobs(value: unknown): Job[] {
  return list(fields(value, "list of jobs"), "jobs").map((item) => {
    const from = fields(item, "job");
    const name = text(from, "name");
    const parameters = from["parameters"];
    return {
      name,
      title: textOr(from, "title", name) || name,
      description: textOr(from, "description", ""),
      parameters: isFields(parameters) ? parameters : {},
      kind: JOB_KINDS.find((kind) => kind === from["kind"]) ?? "function",
      isolation: textOr(from, "isolation", "thread"),
      bounds: readBounds(from["bounds"]),
      service: readService(from["service"]),
    };
  });
}

function readBounds(value: unknown): Bounds {
  const from = fields(value ?? {}, "bounds");
  return {
    timeout: countOr(from, "timeout", null),
    cpuSeconds: countOr(from, "cpu_seconds", null),
    memoryMib: countOr(from, "memory_mib", null),
    outputMib: countOr(from, "output_mib", null),
    runs: countOr(from, "runs", null),
    runsPerUser: countOr(from, "runs_per_user", null),
  };
}

function isServiceState(value: string): value is ServiceState {
  return (SERVICE_STATES as readonly string[]).includes(value);
}

function readServiceStatus(from: Fields): ServiceStatus {
  const state = text(from, "state");
  if (!isServiceState(state)) throw malformed("state", state);
  const pid = from["pid"];
  return {
    state,
    since: moment(from, "since"),
    pid: pid === undefined || pid === null ? null : count(from, "pid"),
    fault: textOr(from, "fault", ""),
    held: flag(from, "held"),
  };
}

function readService(value: unknown): Service | null {
  if (value === undefined || value === null) return null;
  const from = fields(value, "service");
  return { ...readServiceStatus(from), href: readHref(from) };
}

/** A path of this origin, or an address by HTTP: a link never runs a script. */
function readHref(from: Fields): string {
  const href = textOr(from, "href", "");
  if (href !== "" && !/^(\/|https?:\/\/)/.test(href)) throw malformed("href", href);
  return href;
}

export function readServiceChange(value: unknown): ServiceChange {
  const from = fields(value, "service");
  return { job: text(from, "job"), status: readServiceStatus(fields(from["service"], "service")) };
}

export function readAttached(value: unknown): Attached {
  const from = fields(value, "acknowledgement of attach");
  return { run: readRun(from["run"]), offset: count(from, "offset"), line: lineNumber(from, "line") };
}

function bytes(from: Fields, key: string): Uint8Array {
  const value = from[key];
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  throw malformed(key, value);
}

function lineNumber(from: Fields, key: string): number | null {
  return countOr(from, key, null);
}

function readPiece(from: Fields, data: Uint8Array): Omit<Output, "run"> {
  return {
    offset: count(from, "offset"),
    data,
    time: count(from, "time"),
    stream: from["stream"] === 2 ? 2 : 1,
    line: lineNumber(from, "line"),
  };
}

function readLost(from: Fields): Omit<Gap, "run"> {
  return { offset: count(from, "offset"), next: count(from, "next"), line: lineNumber(from, "line") };
}

export function readOutput(value: unknown): Output {
  const from = fields(value, "output");
  return { run: text(from, "run"), ...readPiece(from, bytes(from, "data")) };
}

export function readGap(value: unknown): Gap {
  const from = fields(value, "gap");
  return { run: text(from, "run"), ...readLost(from) };
}

export function readExcerpt(value: unknown): Excerpt {
  const from = fields(value, "acknowledgement of read");
  const data = bytes(from, "data");
  let taken = 0;
  return {
    items: list(from, "items").map((item) => {
      const piece = fields(item, "output");
      if ("next" in piece) return readLost(piece);
      const begin = taken;
      taken += count(piece, "size");
      if (taken > data.length) throw malformed("size", piece["size"]);
      return readPiece(piece, data.subarray(begin, taken));
    }),
    end: count(from, "end"),
    endLine: lineNumber(from, "end_line"),
  };
}

export function readNotice(value: unknown): Notice {
  const from = fields(value, "notice");
  return {
    code: text(from, "code"),
    active: flag(from, "active"),
    message: textOr(from, "message", ""),
  };
}

/** Why the server refuses a connection, from what comes with the refusal; null if it does not say. */
export function readRefusal(value: unknown): string | null {
  return isFields(value) && typeof value["code"] === "string" ? value["code"] : null;
}

/** The error of an acknowledgement, or null when it is a good one. */
export function readError(value: unknown): RequestError | null {
  if (!isFields(value) || !isFields(value["error"])) return null;
  const error = value["error"];
  return new RequestError(textOr(error, "code", "unknown"), textOr(error, "message", "Refused."));
}
