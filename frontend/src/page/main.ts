/** The page's entry: builds its parts on the root element and connects. */
import { readConfig } from "./config";
import { el } from "./dom";
import { pageHeader } from "./header";
import { Notices } from "./notices";
import { RunPanel } from "./runpanel";
import { Session } from "./session";
import { Sidebar } from "./sidebar";

function main(root: HTMLElement): void {
  const notices = new Notices();
  const config = readConfig(root);
  const session = new Session(config, notices);
  const stage = el("main", "stage");
  const welcome = el("p", "empty stage-empty", "Start a job, or choose a run, to watch its output here.");
  let panel: RunPanel | null = null;

  session.onSelect.add((run) => {
    panel?.dispose();
    panel = run === null ? null : new RunPanel(session, run);
    stage.replaceChildren(panel?.element ?? welcome);
    root.classList.toggle("has-run", run !== null);
    if (run === null) document.title = config.title;
  });
  const sidebar = new Sidebar(session);
  root.replaceChildren(
    pageHeader(session),
    notices.element,
    el("div", "columns", sidebar.element, stage),
  );
  session.open(root.dataset["run"] || null);
}

const root = document.getElementById("realtime");
if (!root) throw new Error('the page has no element with the id "realtime"');
main(root);
