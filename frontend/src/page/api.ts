/** The calls of the HTTP API that the page makes; they throw ApiError with a message for people. */
import type { RunPage, SearchAnswer } from "../connection/protocol";
import { isFields, readRunPage, readSearchAnswer } from "../connection/reading";
import { queryOf, type RunFilter } from "./place";

export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

export interface RunQuery {
  readonly filter: RunFilter;
  /** Only runs that are older than this one; null for the newest. */
  readonly before: string | null;
  /** At most 200. */
  readonly limit: number;
}

export async function fetchRuns(apiBase: string, { filter, before, limit }: RunQuery): Promise<RunPage> {
  const query = queryOf(filter);
  query.set("limit", String(limit));
  if (before !== null) query.set("before", before);
  return readRunPage(await fetchJson(`${apiBase}/runs?${query}`));
}

export interface SearchQuery {
  readonly text: string;
  readonly regex: boolean;
  readonly matchCase: boolean;
  /** Byte of the output to begin at. */
  readonly after: number;
  /** Lines that are enough: 1 to 1,000. */
  readonly limit: number;
}

export async function searchOutput(
  apiBase: string,
  runId: string,
  { text, regex, matchCase, after, limit }: SearchQuery,
  signal: AbortSignal,
): Promise<SearchAnswer> {
  const query = new URLSearchParams({
    q: text,
    regex: regex ? "1" : "0",
    case: matchCase ? "1" : "0",
    after: String(after),
    limit: String(limit),
  });
  return readSearchAnswer(await fetchJson(`${addressOfRun(apiBase, runId)}/search?${query}`, signal));
}

/** The address of a run's whole output, exactly as it was printed or as plain text. */
export function outputAddress(apiBase: string, runId: string, format: "raw" | "text", isDownload: boolean): string {
  return `${addressOfRun(apiBase, runId)}/output?format=${format}${isDownload ? "&download=1" : ""}`;
}

function addressOfRun(apiBase: string, runId: string): string {
  return `${apiBase}/runs/${encodeURIComponent(runId)}`;
}

async function fetchJson(address: string, signal: AbortSignal | null = null): Promise<unknown> {
  const answer = await fetch(address, { headers: { accept: "application/json" }, cache: "no-store", signal });
  let body: unknown;
  try {
    body = await answer.json();
  } catch (error) {
    // A proxy in between answers in its own way; a good answer that cannot be read is a fault.
    if (answer.ok || signal?.aborted) throw error;
    body = null;
  }
  if (answer.ok) return body;
  const problem = isFields(body) ? body : {};
  const detail = problem["detail"] ?? problem["title"];
  throw new ApiError(
    typeof problem["code"] === "string" ? problem["code"] : "",
    typeof detail === "string" ? detail : `The server answered ${answer.status}.`,
  );
}
