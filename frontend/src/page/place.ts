import { RUN_STATES, type Run, type RunState } from "../connection/protocol";
import { pathOfRun, runOfPath } from "./permalink";

/** Which runs a list has; empty stands for any. */
export interface RunFilter {
  readonly job: string;
  readonly state: RunState | "";
  readonly user: string;
}

export const ANY_RUN: RunFilter = { job: "", state: "", user: "" };

/** What the page shows beside the jobs, as the address says it. */
export type Place =
  | { readonly kind: "start" }
  | { readonly kind: "run"; readonly run: string }
  | { readonly kind: "history"; readonly filter: RunFilter };

export function placeOf(address: Pick<Location, "pathname" | "search">, pageBase: string): Place {
  if (/^runs\/?$/.test(after(pageBase, address.pathname))) {
    return { kind: "history", filter: filterOf(new URLSearchParams(address.search)) };
  }
  const run = runOfPath(address.pathname, pageBase);
  return run === null ? { kind: "start" } : { kind: "run", run };
}

export function addressOf(place: Place, pageBase: string): string {
  if (place.kind !== "history") return pathOfRun(place.kind === "run" ? place.run : null, pageBase);
  const query = queryOf(place.filter).toString();
  return `${pageBase}runs${query === "" ? "" : `?${query}`}`;
}

/** The filter as addresses of the page and of the API have it. */
export function queryOf(filter: RunFilter): URLSearchParams {
  const given = Object.entries(filter).filter(([, value]) => value !== "");
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
}

export function matches(filter: RunFilter, run: Run): boolean {
  return (["job", "state", "user"] as const).every((key) => filter[key] === "" || filter[key] === run[key]);
}

export function isSameFilter(a: RunFilter, b: RunFilter): boolean {
  return a.job === b.job && a.state === b.state && a.user === b.user;
}

function filterOf(query: URLSearchParams): RunFilter {
  const state = query.get("state") ?? "";
  const known = RUN_STATES.find((each) => each === state);
  return { job: query.get("job") ?? "", state: known ?? "", user: query.get("user") ?? "" };
}

function after(prefix: string, path: string): string {
  return path.startsWith(prefix) ? path.slice(prefix.length) : "";
}
