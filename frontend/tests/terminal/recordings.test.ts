/** Progress displays of real programs, recorded on a terminal (recordings/record.py): the same as in the oracle. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import type { LogModelOptions } from "../../src/terminal/index";
import { pieces, randomCuts, texts, whole } from "./feed";
import { modelRows, oracleRows, plainText } from "./oracle";
import { Random } from "./random";

const FOLDER = path.resolve("tests/terminal/recordings");
const TERMINAL = { columns: 80, rows: 24 };
const AS_TERMINAL: LogModelOptions = { columns: TERMINAL.columns, tailRows: TERMINAL.rows };
const AS_LOG: LogModelOptions = {};
/** Recordings that address rows of the screen from its top: on a log these go to a page of their own. */
const ABSOLUTE = new Set(["margins"]);
/** Bytes up to which a recording is cut at every place: the time for it grows with the square. */
const SMALL = 9_000;
const RANDOM_SPLITS = 200;

const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".bin"))
  .map((file) => file.slice(0, -".bin".length));

describe("recordings come out as on a terminal", () => {
  it("are there", () => {
    assert.ok(names.length >= 8, names.join(" "));
  });

  for (const name of names) {
    const data = readFileSync(path.join(FOLDER, `${name}.bin`));

    it(`${name}: text and styles are the oracle's`, async () => {
      const expected = await oracleRows(data, TERMINAL);
      const shown = modelRows(whole(data, AS_TERMINAL), TERMINAL.columns);
      assert.deepEqual(plainText(shown), plainText(expected));
      assert.deepEqual(shown, expected);
      assert.ok(expected.length > 1, "the recording shows something");
    });

    if (!ABSOLUTE.has(name)) {
      it(`${name}: a log without a width shows the same`, async () => {
        const expected = await oracleRows(data, TERMINAL);
        assert.deepEqual(modelRows(whole(data, AS_LOG), TERMINAL.columns), expected);
      });
    }

    for (const [mode, options] of [
      ["terminal", AS_TERMINAL],
      ["log", AS_LOG],
    ] as const) {
      it(`${name}: any split shows the same as a ${mode}`, () => {
        const model = whole(data, options);
        const expected = [texts(model).join("\n"), JSON.stringify(modelRows(model, TERMINAL.columns))];
        const random = new Random(data.length);
        const splits =
          data.length <= SMALL
            ? Array.from({ length: data.length }, (_, at) => [at])
            : Array.from({ length: RANDOM_SPLITS }, () =>
                randomCuts(random, data.length, 1 + random.below(data.length / 4)),
              );
        splits.push(Array.from({ length: data.length }, (_, at) => at));
        for (const [i, cuts] of splits.entries()) {
          const cut = pieces(data, cuts, options);
          const name = `cut at ${cuts.slice(0, 5).join(" ")}`;
          assert.equal(texts(cut).join("\n"), expected[0], name);
          // the comparison of styles takes longer than the model: every tenth
          if (i % 10 === 0) assert.equal(JSON.stringify(modelRows(cut, TERMINAL.columns)), expected[1], name);
        }
      });
    }
  }
});
