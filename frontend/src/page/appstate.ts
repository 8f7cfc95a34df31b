/** What an app's card says and allows, from how the app does. */
import type { ServiceAction, ServiceStatus } from "../connection/protocol";
import { formatElapsed } from "./format";

/** Why an action is of no use in this state, or null. */
export function uselessness({ state }: ServiceStatus, action: ServiceAction): string | null {
  switch (state) {
    case "stopped":
      return action === "start" ? null : "It is not running";
    case "stopping":
      return "It is just ending";
    case "starting":
    case "running":
      return action === "start" ? "It runs already" : null;
    // It is waited for the next attempt: Start and Restart do not wait.
    case "restarting":
    case "failed":
      return null;
  }
}

/** What is worth knowing beside the state, in a line; empty if there is nothing. */
export function detailOf(status: ServiceStatus, now: number): string {
  const { state, since, pid, fault, held } = status;
  switch (state) {
    case "stopped":
      return held ? "Stopped by hand; it waits for Start." : "It starts when somebody opens it.";
    case "restarting":
      return sentence(fault);
    case "failed":
      return `${sentence(fault)} It is tried again within half a minute.`.trim();
    default: {
      const elapsed = state === "running" && since !== null ? formatElapsed(now - since) : "";
      return [pid === null ? "" : `process ${pid}`, elapsed].filter((part) => part !== "").join(" · ");
    }
  }
}

function sentence(text: string): string {
  if (text === "") return "";
  const ended = /[.!?]$/.test(text) ? text : `${text}.`;
  return ended.charAt(0).toUpperCase() + ended.slice(1);
}
