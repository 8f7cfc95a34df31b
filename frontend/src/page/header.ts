import type { ConnectionState } from "../connection/client";
import { el, setText } from "./dom";
import { leadTo } from "./placelink";
import type { Session } from "./session";
import { themeButton } from "./theme";

/** A server that is restarted sends its pages to another one, and they are connected again before this. Nobody needs
 * to know of that. */
const CALM_MS = 1_500;
/** socket.io-client's word for a server of which nothing was heard for long. */
const SILENCE = "ping timeout";

/** The bar at the top: title, whether the server is there, and the theme. */
export function pageHeader(session: Session): HTMLElement {
  const title = el("a", "page-title", session.config.title);
  leadTo(title, session, { kind: "start" });
  const connection = el("span", "connection");
  connection.setAttribute("role", "status");
  let waiting: ReturnType<typeof setTimeout> | undefined;
  const show = (state: ConnectionState) => {
    const wasConnected = connection.dataset["state"] === "connected";
    if (wasConnected && state.kind === "disconnected" && state.reason !== SILENCE) {
      waiting ??= setTimeout(() => say(session.connection.state), CALM_MS);
      return;
    }
    say(state);
  };
  const say = (state: ConnectionState) => {
    clearTimeout(waiting);
    waiting = undefined;
    connection.dataset["state"] = state.kind;
    setText(connection, wording(state));
    connection.title = "reason" in state ? state.reason : "";
  };
  show(session.connection.state);
  session.connection.onState.add(show);
  return el("header", "page-header", el("h1", "", title), connection, themeButton());
}

function wording(state: ConnectionState): string {
  switch (state.kind) {
    case "connecting":
      return "Connecting…";
    case "connected":
      return "Connected";
    case "disconnected":
      return "Disconnected, trying again…";
    case "loggedOut":
      return "Logged out";
  }
}
