import assert from "node:assert/strict";
import { test } from "node:test";

import { LagWatch } from "../../src/connection/lag";

const MB = 1024 * 1024;

function stage() {
  const state = { reached: 0, end: 0, asked: 0, isAway: false, told: [] as number[], stopped: false };
  const watch = new LagWatch(
    {
      reached: () => state.reached,
      end: async () => {
        state.asked += 1;
        if (state.isAway) throw new Error("away");
        return state.end;
      },
    },
    () => () => {
      state.stopped = true;
    },
  );
  watch.onChange.add((bytes) => state.told.push(bytes));
  const look = async (came: number, end: number) => {
    state.reached += came;
    state.end = end;
    await watch.look();
  };
  return { state, watch, look };
}

test("a page that keeps up is not told of, and the server not asked while little comes", async () => {
  const { state, look } = stage();
  for (let n = 1; n <= 5; n += 1) await look(1_000, n * 1_000);
  assert.equal(state.asked, 0);
  await look(MB, state.reached + MB + 1_000);
  assert.equal(state.asked, 1);
  assert.deepEqual(state.told, []);
});

test("a page that falls behind is told by how much, until it is near again", async () => {
  const { state, look } = stage();
  await look(MB, 6 * MB);
  await look(MB, 8 * MB);
  await look(4 * MB, 8 * MB);
  await look(1.5 * MB, 8 * MB);
  assert.deepEqual(state.told, [5 * MB, 6 * MB, 2 * MB, 0]);
});

test("a page that is behind is watched also when nothing comes", async () => {
  const { state, look } = stage();
  await look(MB, 6 * MB);
  await look(0, 9 * MB);
  assert.deepEqual(state.told, [5 * MB, 8 * MB]);
});

test("what was left out need not be caught up with", async () => {
  const { state, watch, look } = stage();
  await look(MB, 6 * MB);
  watch.reset();
  watch.reset();
  assert.deepEqual(state.told, [5 * MB, 0]);
});

test("while the server cannot be asked what is known stays", async () => {
  const { state, look } = stage();
  await look(MB, 6 * MB);
  state.isAway = true;
  await look(MB, 9 * MB);
  state.isAway = false;
  await look(MB, 9 * MB);
  assert.deepEqual(state.told, [5 * MB, 6 * MB]);
});

test("disposed, it looks no more", () => {
  const { state, watch } = stage();
  watch.dispose();
  assert.equal(state.stopped, true);
});
