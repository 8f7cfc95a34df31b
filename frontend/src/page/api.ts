import type { Run } from "../connection/protocol";
import { isFields, readRuns } from "../connection/reading";

/** The newest runs, by HTTP. Throws Error with a message for people. */
export async function fetchRuns(apiBase: string, limit: number): Promise<Run[]> {
  const answer = await fetch(`${apiBase}/runs?limit=${limit}`, {
    headers: { accept: "application/json" },
    cache: "no-store",
  });
  const body: unknown = await answer.json();
  if (!answer.ok) {
    const detail = isFields(body) ? (body["detail"] ?? body["title"]) : null;
    throw new Error(typeof detail === "string" ? detail : `The server answered ${answer.status}.`);
  }
  return readRuns(body);
}

/** The address of a run's whole output as plain text. */
export function outputAddress(apiBase: string, runId: string): string {
  return `${apiBase}/runs/${encodeURIComponent(runId)}/output`;
}
