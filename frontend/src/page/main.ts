/** The page's entry: builds its parts on the root element and connects. */
import { readConfig } from "./config";
import { el } from "./dom";
import { pageHeader } from "./header";
import { HistoryPanel } from "./historypanel";
import { Notices } from "./notices";
import { RunPanel } from "./runpanel";
import { Session } from "./session";
import { Sidebar } from "./sidebar";
import { refuseStrayDrops } from "./uploadcontrol";

function main(root: HTMLElement): void {
  const notices = new Notices();
  const config = readConfig(root);
  const session = new Session(config, notices);
  const stage = el("main", "stage");
  const welcome = el("p", "empty stage-empty", "Start a job, or choose a run, to watch its output here.");
  let panel: RunPanel | null = null;
  let past: HistoryPanel | null = null;

  session.onPlace.add((place) => {
    panel?.dispose();
    panel = null;
    past?.hide();
    root.classList.toggle("has-stage", place.kind !== "start");
    switch (place.kind) {
      case "start":
        document.title = config.title;
        stage.replaceChildren(welcome);
        return;
      case "run":
        panel = new RunPanel(session, place.run);
        stage.replaceChildren(panel.element);
        return;
      case "history":
        past ??= new HistoryPanel(session);
        // Taken out and put back, it would lose the focus.
        if (past.element.parentNode !== stage) stage.replaceChildren(past.element);
        past.show(place.filter);
    }
  });
  const sidebar = new Sidebar(session);
  root.replaceChildren(
    pageHeader(session),
    notices.element,
    el("div", "columns", sidebar.element, stage),
  );
  refuseStrayDrops();
  session.open();
}

const root = document.getElementById("realtime");
if (!root) throw new Error('the page has no element with the id "realtime"');
main(root);
