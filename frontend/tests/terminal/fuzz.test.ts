/** Random output from all that is supported, against the oracle, on a small screen where everything collides. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { REACH } from "../../src/terminal/screen";
import { bytes, pieces, randomCuts, whole } from "./feed";
import { modelRows, oracleRows, plainText } from "./oracle";
import { Random } from "./random";

/** Pieces of output a sequence, and sequences a test: some seconds together. */
const PIECES = 60;
const SEQUENCES = 400;
/** Fewer, since the oracle needs a screen as wide as a log's cursor reaches. */
const LOG_SEQUENCES = 200;

const WORDS = [
  "a",
  "bc",
  "hello",
  "0123456789",
  "the quick brown fox jumps",
  " ",
  "    ",
  "é",
  "ß§",
  "你好",
  "世",
  "한글",
  "カタカナ",
  "😀",
  "🚀🚀",
  "e\u0301",
  "o\u0308\u0323x",
  "█▌▏",
  "━━━",
  "✓",
  "a😀b你c",
  "\ufeff",
  "𝒳",
];
const COLOURS = [
  "31",
  "42",
  "1;93",
  "104",
  "38;5;208",
  "48;5;17",
  "38;2;1;2;3",
  "48;2;200;100;50",
  "38:5:99",
  "48:2::9:8:7",
  "39",
  "49",
];
const ATTRIBUTES = [
  "0",
  "",
  "1",
  "2",
  "3",
  "4",
  "7",
  "8",
  "9",
  "21",
  "22",
  "23",
  "24",
  "27",
  "28",
  "29",
  "4:3",
  "4:0",
  "5",
  "53",
];

type Piece = (random: Random) => string;

const n = (random: Random, limit = 8): string =>
  random.pick(["", "0", "1", String(random.below(limit)), String(random.below(30))]);
const TEXT: Piece = (random) => random.pick(WORDS);
const STYLE: Piece = (random) => `\x1b[${random.pick([...COLOURS, ...ATTRIBUTES])}m`;
const FOREGROUND: Piece = (random) => `\x1b[${random.pick(["31", "1;93", "38;5;208", ...ATTRIBUTES])}m`;
const LINE_END: Piece = (random) => random.pick(["\n", "\r\n", "\r", "\r", "\v", "\f", "\b", "\b\b\b", "\t", "\t"]);
const MOVE: Piece = (random) => `\x1b[${n(random)}${random.pick([..."ABCDEFG`aIZ"])}`;
const PLACE: Piece = (random) =>
  random.pick([
    `\x1b[${n(random)};${n(random, 20)}H`,
    `\x1b[${n(random)}d`,
    `\x1b[${n(random)};${n(random)}f`,
    "\x1b[H",
  ]);
const ERASE: Piece = (random) =>
  `\x1b[${random.pick(["K", "0K", "1K", "2K", "J", "0J", "X", "5X", "?K", `${n(random)}X`])}`;
const EDIT: Piece = (random) => `\x1b[${n(random, 5)}${random.pick([..."@PLMST"])}`;
const SAVE: Piece = (random) => random.pick(["\x1b7", "\x1b8", "\x1b[s", "\x1b[u"]);
const SCROLL: Piece = (random) =>
  random.pick(["\x1bD", "\x1bE", "\x1bM", "\x84", "\x85", "\x1b[2J", "\r\x1b[1J", "\x1b[r", "\x1b[2;4r", "\x1b[1;3r"]);
const IGNORED: Piece = (random) =>
  random.pick([
    "\x1b[?25l",
    "\x1b[?25h",
    "\x1b]0;title\x07",
    "\x1bPq#0;1\x1b\\",
    "\x1b_app\x1b\\",
    "\x1b^pm\x9c",
    "\x1b(B",
    "\x1b)A",
    "\x00",
    "\x07",
    "\x0e\x0f",
    "\x7f",
    "\x1b=",
    "\x1b>",
    "\x1b[6n",
    "\x1b[>c",
    "\x1b[1 q",
    "\x1b[?2026h",
    "\x1b[12\x18",
    "\x1b[=5c",
  ]);
const BROKEN: Piece = (random) =>
  random.pick([
    "\x1b[3\x0d1m",
    "\x1b[1;?2m",
    "\x1b[ 1m",
    "\x1b\x1b[32m",
    "\x1b[4\n2m",
    "\x9b31m",
    "\x1b[99999999999C",
    "\x1b[;;;m",
  ]);
const REPEAT: Piece = (random) => `${random.pick(["x", "ab", "你"])}\x1b[${random.pick(["", "3", "25"])}b`;

const LINES: readonly Piece[] = [TEXT, TEXT, TEXT, STYLE, LINE_END];
const PROGRESS: readonly Piece[] = [...LINES, ...LINES, MOVE, ERASE, SAVE, IGNORED];
/** On a log, colour that is left on does not fill the rows that come in, and the screen's corner is elsewhere. */
const UNPLACED: readonly Piece[] = [
  TEXT,
  TEXT,
  TEXT,
  FOREGROUND,
  LINE_END,
  LINE_END,
  MOVE,
  ERASE,
  SAVE,
  IGNORED,
  REPEAT,
];
const EVERYTHING: readonly Piece[] = [
  ...LINES,
  ...LINES,
  MOVE,
  PLACE,
  ERASE,
  EDIT,
  SAVE,
  SCROLL,
  IGNORED,
  BROKEN,
  REPEAT,
];

function output(random: Random, kinds: readonly Piece[]): string {
  let text = "";
  for (let i = 0; i < PIECES; i++) text += random.pick(kinds)(random);
  return text;
}

async function compare(seed: number, kinds: readonly Piece[], isLog = false): Promise<void> {
  const random = new Random(seed);
  const size = { columns: isLog ? REACH : 4 + random.below(30), rows: 2 + random.below(8) };
  const text = output(random, kinds);
  const data = bytes(text);
  const options = isLog ? { tailRows: size.rows } : { columns: size.columns, tailRows: size.rows };
  const shown = modelRows(whole(data, options), size.columns);
  const expected = await oracleRows(data, size);
  const name = `seed ${seed}, ${size.columns} × ${size.rows}: ${JSON.stringify(text)}`;
  assert.deepEqual(plainText(shown), plainText(expected), name);
  assert.deepEqual(shown, expected, name);
  const cut = pieces(data, randomCuts(random, data.length, 4), options);
  assert.deepEqual(modelRows(cut, size.columns), shown, `cut, ${name}`);
}

describe("random output comes out as in the oracle", () => {
  for (const [name, kinds, seed] of [
    ["lines", LINES, 1_000],
    ["progress", PROGRESS, 2_000],
    ["everything", EVERYTHING, 3_000],
  ] as const) {
    it(`${name}: ${SEQUENCES} sequences`, async () => {
      for (let i = 0; i < SEQUENCES; i++) await compare(seed + i, kinds);
    });
  }

  it(`a log without a width: ${LOG_SEQUENCES} sequences`, async () => {
    for (let i = 0; i < LOG_SEQUENCES; i++) await compare(4_000 + i, UNPLACED, true);
  });
});
