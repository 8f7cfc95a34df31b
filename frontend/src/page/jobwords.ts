/** What is told of a job beside its description: how it runs, and within which bounds. */
import type { Bounds, Job } from "../connection/protocol";
import { formatCount } from "./format";

/** From here on a time is told in minutes. */
const MANY_SECONDS = 120;

/** `command · own process · at most 60 s, 512 MiB memory, 2 at once; others wait`; empty for a plain function. */
export function jobText(job: Pick<Job, "kind" | "isolation" | "bounds">): string {
  const parts = [
    job.kind === "command" ? "command" : "",
    job.isolation === "process" && job.kind !== "command" ? "own process" : "",
    boundsText(job.bounds),
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

export function boundsText(bounds: Bounds): string {
  const { timeout, cpuSeconds, memoryMib, outputMib, runs, runsPerUser } = bounds;
  const parts = [
    timeout === null ? "" : timeText(timeout),
    cpuSeconds === null ? "" : `${timeText(cpuSeconds)} CPU`,
    memoryMib === null ? "" : `${sizeText(memoryMib)} memory`,
    outputMib === null ? "" : `${sizeText(outputMib)} output`,
    runs === null ? "" : `${formatCount(runs)} at once`,
    runsPerUser === null ? "" : `${formatCount(runsPerUser)} per user at once`,
  ];
  const told = parts.filter((part) => part !== "").join(", ");
  if (told === "") return "";
  return `at most ${told}${runs === null && runsPerUser === null ? "" : "; others wait"}`;
}

function timeText(seconds: number): string {
  if (seconds < MANY_SECONDS) return `${numbers.format(seconds)} s`;
  const minutes = seconds / 60;
  if (minutes < 120 && minutes !== 60) return Number.isInteger(minutes) ? `${minutes} min` : `${numbers.format(seconds)} s`;
  const hours = Math.floor(minutes / 60);
  const rest = Math.round(minutes % 60);
  return rest === 0 ? `${formatCount(hours)} h` : `${formatCount(hours)} h ${rest} min`;
}

function sizeText(mib: number): string {
  return mib >= 1024 && (mib / 1024) % 0.5 === 0 ? `${numbers.format(mib / 1024)} GiB` : `${numbers.format(mib)} MiB`;
}

const numbers = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
