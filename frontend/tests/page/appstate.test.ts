import assert from "node:assert/strict";
import { test } from "node:test";

import { SERVICE_STATES, type ServiceState, type ServiceStatus } from "../../src/connection/protocol";
import { detailOf, uselessness } from "../../src/page/appstate";

const status = (state: ServiceState, more: Partial<ServiceStatus> = {}): ServiceStatus => ({
  state,
  since: 1_000,
  pid: null,
  fault: "",
  held: false,
  ...more,
});

test("each state allows what is of use in it", () => {
  const allowed = Object.fromEntries(
    SERVICE_STATES.map((state) => [
      state,
      (["start", "stop", "restart"] as const).filter((action) => uselessness(status(state), action) === null),
    ]),
  );
  assert.deepEqual(allowed, {
    stopped: ["start"],
    starting: ["stop", "restart"],
    running: ["stop", "restart"],
    stopping: [],
    restarting: ["start", "stop", "restart"],
    failed: ["start", "stop", "restart"],
  });
});

test("a running app tells its process and for how long it runs", () => {
  assert.equal(detailOf(status("running", { pid: 4711 }), 73_000), "process 4711 · 1:12");
  assert.equal(detailOf(status("starting", { pid: 4711 }), 73_000), "process 4711");
});

test("a stopped app tells whether opening it is enough", () => {
  assert.match(detailOf(status("stopped", { fault: "it ended by SIGKILL" }), 0), /^It starts when/);
  assert.match(detailOf(status("stopped", { held: true }), 0), /^Stopped by hand/);
});

test("an app that died tells why, as a sentence", () => {
  const fault = "it ended with exit code 7";
  assert.equal(detailOf(status("restarting", { fault }), 0), "It ended with exit code 7.");
  assert.match(detailOf(status("failed", { fault }), 0), /^It ended with exit code 7\. It is tried again/);
  assert.match(detailOf(status("failed"), 0), /^It is tried again/);
});
