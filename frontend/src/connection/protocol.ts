/**
 * The Socket.IO protocol as the browser sees it: every event name, spelled once, and the types of
 * what travels. The tables of names are compared with the server's by a test, so keep one name a line.
 */

/** Events that the page sends; each carries one object and is acknowledged with one. */
export const ClientEvent = {
  jobs: "jobs",
  start: "start",
  stop: "stop",
  input: "input",
  report: "report",
  control: "control",
  attach: "attach",
  read: "read",
  detach: "detach",
} as const;
export type ClientEventName = (typeof ClientEvent)[keyof typeof ClientEvent];

/** Events that the server sends. */
export const ServerEvent = {
  output: "output",
  gap: "gap",
  status: "status",
  notice: "notice",
  service: "service",
} as const;
export type ServerEventName = (typeof ServerEvent)[keyof typeof ServerEvent];

/** States of a run in the order in which it may pass through them; the last four are final. */
export const RUN_STATES = [
  "queued",
  "running",
  "stopping",
  "succeeded",
  "failed",
  "stopped",
  "lost",
] as const;
export type RunState = (typeof RUN_STATES)[number];

const FINAL_STATES: ReadonlySet<RunState> = new Set(["succeeded", "failed", "stopped", "lost"]);

export function isFinal(state: RunState): boolean {
  return FINAL_STATES.has(state);
}

/** How a run ended; `code` is null where the end has no code (a lost run). */
export interface RunExit {
  readonly code: number | null;
  readonly reason: string;
}

/** A run waits for a line of input. `hidden`: what is typed must not be seen, nor kept. */
export interface Waiting {
  readonly since: number | null;
  readonly hidden: boolean;
  /** What it printed last, without a line's end. */
  readonly prompt: string;
}

/** Who says how far a run is: the job itself, or a bar that is read from its output. */
export const PROGRESS_SOURCES = ["job", "tqdm", "rich", "bar"] as const;
export type ProgressSource = (typeof PROGRESS_SOURCES)[number];

/** How far a run is; null for what is not known. */
export interface Progress {
  /** 0 to 100. */
  readonly percent: number | null;
  readonly done: number | null;
  readonly total: number | null;
  readonly etaSeconds: number | null;
  readonly source: ProgressSource;
  readonly label: string;
}

/** How many processes were ended with a run, and how many of them are still there. */
export interface Processes {
  readonly ended: number;
  readonly left: number;
}

/** One execution of a job. Times are ms since the epoch, null until known. */
export interface Run {
  readonly id: string;
  readonly job: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly user: string;
  readonly state: RunState;
  readonly created: number | null;
  readonly started: number | null;
  readonly ended: number | null;
  readonly exit: RunExit | null;
  readonly outputBytes: number;
  /** Line feeds in the output. */
  readonly outputLines: number;
  /** It was more than is kept, or older: only the record is left. */
  readonly outputRemoved: boolean;
  readonly executor: string;
  readonly isolation: string;
  readonly host: string;
  /** Of a run on a worker: which workers take it; empty for a run of the server itself. */
  readonly queue: string;
  /** Counted from 1: how often it was begun, and how often it may be when its worker is lost. */
  readonly attempt: number;
  readonly attempts: number;
  readonly stopRequested: number | null;
  /** Why the server asked it to stop; empty where somebody did, or nobody has. */
  readonly stopReason: string;
  /** The grace period has passed and the job still runs: the page offers to force it. */
  readonly stopOverdue: boolean;
  /** Seconds from Stop until the server ends it by force; null if it is not known, or never does. */
  readonly stopGrace: number | null;
  /** Counted from 1 while it waits until it may begin. */
  readonly queuePosition: number | null;
  readonly waiting: Waiting | null;
  readonly progress: Progress | null;
  /** Null: it had no processes of its own, or has them still. */
  readonly processes: Processes | null;
}

/** States of a service; `restarting` and `failed` are started again by themselves. */
export const SERVICE_STATES = [
  "stopped",
  "starting",
  "running",
  "stopping",
  "restarting",
  "failed",
] as const;
export type ServiceState = (typeof SERVICE_STATES)[number];

export type ServiceAction = "start" | "stop" | "restart";

/** How something does that goes on with or without a run of its job. `since`: ms since the epoch. */
export interface ServiceStatus {
  readonly state: ServiceState;
  readonly since: number | null;
  readonly pid: number | null;
  /** Why it ended by itself the last time; empty if it never did. */
  readonly fault: string;
  /** It was stopped by hand; otherwise it may start by itself, when it is opened. */
  readonly held: boolean;
}

/** A change of the service of a job. */
export interface ServiceChange {
  readonly job: string;
  readonly status: ServiceStatus;
}

/** What a job stands for; `href` is where one opens it, or empty. */
export interface Service extends ServiceStatus {
  readonly href: string;
}

/** What a run of a job may take, and how many may run at once; null: as much as there is. */
export interface Bounds {
  /** Seconds. */
  readonly timeout: number | null;
  readonly cpuSeconds: number | null;
  readonly memoryMib: number | null;
  readonly outputMib: number | null;
  readonly runs: number | null;
  readonly runsPerUser: number | null;
}

export const JOB_KINDS = ["function", "command"] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/** A job that can be started. `parameters` is the JSON Schema of its keyword arguments. */
export interface Job {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly kind: JobKind;
  /** What its runs are boxed in: `thread`, `process`. */
  readonly isolation: string;
  readonly bounds: Bounds;
  readonly service: Service | null;
}

/** A piece of a run's output. `offset` is the byte position of its first byte in that output. */
export interface Output {
  readonly run: string;
  readonly offset: number;
  readonly data: Uint8Array;
  readonly time: number;
  readonly stream: 1 | 2;
  /** Number, from 1, of the line in which the first byte lies; null from a server that does not say. */
  readonly line: number | null;
}

/** The bytes `offset` to `next` of a run's output are no longer kept. */
export interface Gap {
  readonly run: string;
  readonly offset: number;
  readonly next: number;
  /** Number of the line in which byte `next` lies. */
  readonly line: number | null;
}

/** Something that the page shows for as long as it is active. */
export interface Notice {
  readonly code: string;
  readonly active: boolean;
  readonly message: string;
}

/** The acknowledgement of `attach`: where the output will begin. */
export interface Attached {
  readonly run: Run;
  readonly offset: number;
  /** Number of the line in which that byte lies. */
  readonly line: number | null;
}

/** The acknowledgement of `read`: output in order, and the end of what there was. */
export interface Excerpt {
  readonly items: readonly (Omit<Output, "run"> | Omit<Gap, "run">)[];
  readonly end: number;
  /** Number of the line in which the output ends. */
  readonly endLine: number | null;
}

/** Some runs, newest first; `next` is the run to name as `before` for older ones, null when there are none. */
export interface RunPage {
  readonly runs: readonly Run[];
  readonly next: string | null;
}

/** A line that the server's search found. `start` to `end` of its text match, in UTF-16 units. */
export interface FoundLine {
  /** Number of the line, from 1. */
  readonly line: number;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What one request of the server's search found, in bytes of the output. */
export interface SearchAnswer {
  readonly matches: readonly FoundLine[];
  /** Where to go on; null when all was searched that there was. */
  readonly next: number | null;
  /** Bytes that this request took care of. */
  readonly searched: number;
  /** Where the output ended. */
  readonly end: number;
}

/** A request that the server refused, or that did not reach it. `code` is the protocol's. */
export class RequestError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "RequestError";
  }
}

/** The server's code for a connection or a request of somebody who is not logged in, or no longer. */
export const NOT_LOGGED_IN = "not_logged_in";

/** Codes of RequestError that the page makes itself. */
export const LocalError = {
  disconnected: "disconnected",
  timeout: "timeout",
  malformed: "malformed",
} as const;
