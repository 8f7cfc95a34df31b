import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { Finder } from "../../src/log/finder";
import { Loader, wholeLines } from "../../src/log/loader";
import { isLost, type OutputItem } from "../../src/log/mark";
import { RunLog } from "../../src/log/runlog";
import { moved, type Splice } from "../../src/log/splice";
import { Random } from "../terminal/random";
import { FakeRun, randomText, rows, shown } from "./run";

const LIMITS = { rows: 1_000_000, bytes: 1e9 };

function numbered(count: number): string {
  return Array.from({ length: count }, (_, n) => `line ${n + 1}`).join("\n");
}

/** A log at the tail of a run, as a page opens it. */
function atTail(run: FakeRun, tailBytes: number): RunLog {
  const log = new RunLog(LIMITS);
  const offset = Math.max(0, run.data.length - tailBytes);
  log.skip(offset, run.lineOf(offset));
  run.send(log, tailBytes);
  return log;
}

describe("a log of a run", () => {
  it("that is here from its beginning is what the terminal shows", () => {
    const log = new RunLog(LIMITS);
    log.write(new TextEncoder().encode("one\n\x1b[31mtwo\x1b[0m\nthr"), 2, 5);
    assert.deepEqual(shown(log), ["one", "two", "thr"]);
    assert.deepEqual([log.firstLine, log.frozenLine, log.endLine], [0, 0, 3]);
    assert.deepEqual(log.end, { offset: 20, line: 3 });
    assert.equal(log.styleOf(log.line(1).spans[0]?.style ?? 0).fg, 1);
    assert.equal(log.text(0, 3), "one\ntwo\nthr");
  });

  it("opened at its tail begins with a whole line, under its own number, below a row for the rest", () => {
    const run = new FakeRun(numbered(100));
    const log = atTail(run, 30);
    assert.deepEqual(shown(log), ["<hole 1-97>", "line 98", "line 99", "line 100"]);
    assert.deepEqual(rows(log).map(({ number }) => number), [1, 98, 99, 100]);
    assert.equal(log.line(log.firstLine).missing?.bytes, run.starts[97]);
  });

  it("opened inside of a line without an end begins at a character of it", () => {
    const run = new FakeRun(`a\n${"é".repeat(100_000)}`);
    const log = atTail(run, 100_001);
    for (const { text, missing } of rows(log)) assert.ok(missing ?? /^é+$/.test(text), text.slice(0, 9));
  });

  it("says where output is gone, and goes on behind it under the right number", () => {
    const run = new FakeRun(numbered(100));
    const log = new RunLog(LIMITS);
    run.send(log, 10);
    log.gap(run.starts[49] as number, 50);
    run.send(log, 16);
    assert.deepEqual(shown(log), ["line 1", "lin", "<gone 2-49>", "line 50", "line 51"]);
    assert.deepEqual(log.find(50), { kind: "row", row: 3 });
  });

  it("keeps the numbers of its rows when output is left out", () => {
    const run = new FakeRun(numbered(100));
    const log = new RunLog(LIMITS);
    run.send(log, 14);
    run.skipTo(log, 90);
    run.send(log, 9);
    assert.deepEqual(shown(log), ["line 1", "line 2", "<hole 3-89>", "line 90"]);
    assert.equal(log.line(1).text, "line 2");
    // left out once more before anything has come
    run.skipTo(log, 95);
    run.skipTo(log, 98);
    run.send(log, 100);
    assert.deepEqual(shown(log).slice(3), ["line 90", "<hole 91-97>", "line 98", "line 99", "line 100"]);
  });

  it("a server that does not number lines is counted along", () => {
    const log = new RunLog(LIMITS);
    log.write(new TextEncoder().encode("a\nb\n"), 1, 0);
    log.gap(100, null);
    log.write(new TextEncoder().encode("c\n"), 1, 0);
    assert.deepEqual(rows(log).map(({ number }) => number), [1, 2, 3, 3]);
  });

  it("cleared is one row that can be loaded again", async () => {
    const run = new FakeRun(numbered(50));
    const log = atTail(run, 200);
    log.clear();
    assert.deepEqual(shown(log), ["<hole 1-49>"]);
    const hole = log.holeAt(log.firstLine);
    assert.ok(hole);
    await new Loader(log, run).load(hole, "previous");
    // the last line has no end yet: what is cleared of it stands above what may come
    assert.deepEqual(shown(log), run.lines);
  });
});

describe("loading a hole", () => {
  it("from its end puts whole lines right above those below, which keep their numbers", async () => {
    const run = new FakeRun(numbered(100));
    const log = atTail(run, 30);
    const row = log.endLine - 1;
    const hole = log.holeAt(log.firstLine);
    assert.ok(hole);
    await new Loader(log, run).load(hole, "previous", 25);
    assert.deepEqual(shown(log).slice(0, 4), ["<hole 1-94>", "line 95", "line 96", "line 97"]);
    assert.equal(log.line(row).text, "line 100");
  });

  it("from its beginning goes on where the text above ended, in its colour and inside of its line", async () => {
    const run = new FakeRun("one \x1b[31mtwo\nthree\nfour\x1b[0m five\nsix\nseven\n", 5);
    const log = new RunLog(LIMITS);
    run.send(log, 14);
    run.skipTo(log, 5);
    run.send(log, 99);
    const hole = log.holeAt(2);
    assert.ok(hole);
    assert.deepEqual(shown(log), ["one two", "t", "<hole 2-4>", "seven"]);
    await new Loader(log, run).load(hole, "next");
    assert.deepEqual(shown(log), ["one two", "three", "four five", "six", "seven"]);
    const [span] = log.line(log.firstLine + 2).spans;
    assert.deepEqual([span?.start, span?.end], [0, 4]);
  });

  it("as a whole leaves none, however many pieces it takes, and those below where they are", async () => {
    const run = new FakeRun(numbered(100_000), 30_000);
    const log = atTail(run, 30);
    const row = log.endLine - 1;
    const hole = log.holeAt(log.firstLine);
    assert.ok(hole);
    const kept: string[] = [];
    log.onSplice.add(({ keep }) => kept.push(keep));
    await new Loader(log, run).load(hole, "all");
    assert.deepEqual(shown(log), run.lines);
    assert.equal(log.line(row).text, "line 100000");
    assert.deepEqual(new Set(kept), new Set(["below"]));
    assert.ok(run.reads.length >= 5);
  });

  it("of which the beginning is gone says so with its size, and loads the rest", async () => {
    const run = new FakeRun(numbered(100));
    run.keptFrom = run.starts[79] as number;
    const log = atTail(run, 30);
    const hole = log.holeAt(log.firstLine);
    assert.ok(hole);
    await new Loader(log, run).load(hole, "previous", 200);
    assert.deepEqual(shown(log).slice(0, 3), ["<gone 1-79>", "line 80", "line 81"]);
    assert.equal(log.line(log.firstLine).missing?.bytes, run.keptFrom);
  });

  it("is asked for its beginning when a page opens, and shows what is gone", async () => {
    const run = new FakeRun(numbered(100));
    const log = atTail(run, 30);
    const loader = new Loader(log, run);
    await loader.askBeginning();
    assert.deepEqual(shown(log).slice(0, 2), ["<hole 1-97>", "line 98"]);
    run.keptFrom = run.starts[79] as number;
    await loader.askBeginning();
    assert.deepEqual(shown(log).slice(0, 3), ["<gone 1-79>", "<hole 80-97>", "line 98"]);
  });

  it("that fails says why in the row, and can be tried again", async () => {
    const run = new FakeRun(numbered(100));
    const log = atTail(run, 30);
    const hole = log.holeAt(log.firstLine);
    assert.ok(hole);
    const loader = new Loader(log, {
      read: () => Promise.reject(new Error("The archive cannot be reached.")),
    });
    await loader.load(hole, "next");
    const { missing } = log.line(log.firstLine);
    assert.deepEqual([missing?.failure, missing?.isLoading], ["The archive cannot be reached.", false]);
    await new Loader(log, run).load(hole, "next");
    assert.deepEqual(shown(log), run.lines);
  });

  it("takes no output that does not follow what is there", async () => {
    const run = new FakeRun(numbered(100));
    const log = atTail(run, 30);
    const hole = log.holeAt(log.firstLine);
    assert.ok(hole);
    await new Loader(log, { read: () => run.read({ offset: 3 }, 50) }).load(hole, "next");
    assert.match(log.line(log.firstLine).missing?.failure ?? "", /output at 3, not at 0/);
    assert.deepEqual(shown(log).slice(1), ["line 98", "line 99", "line 100"]);
  });

  it("is said to be under way, and not begun twice", async () => {
    const run = new FakeRun(numbered(100));
    const log = atTail(run, 30);
    const hole = log.holeAt(log.firstLine);
    assert.ok(hole);
    const loader = new Loader(log, run);
    const both = [loader.load(hole, "next"), loader.load(hole, "previous")];
    assert.equal(log.line(log.firstLine).missing?.isLoading, true);
    await Promise.all(both);
    assert.deepEqual(shown(log), run.lines);
  });
});

describe("pieces that are loaded", () => {
  const piece = (offset: number, text: string) => ({
    offset, data: new TextEncoder().encode(text), stream: 1, time: 0, line: 1,
  }) as const;
  const texts = (items: readonly OutputItem[]) =>
    items.map((item) => (isLost(item) ? `<${item.next}>` : new TextDecoder().decode(item.data)));

  it("end with a line, so that no beginning of one is shown as if it were all", () => {
    assert.deepEqual(texts(wholeLines([piece(0, "a\nb\nc")], 99)), ["a\nb\n"]);
    assert.deepEqual(texts(wholeLines([piece(0, "a\nb"), piece(3, "c"), piece(4, "d")], 99)), ["a\n"]);
  });

  it("end where they end when the hole does, where output is gone, or when no line ends", () => {
    assert.deepEqual(texts(wholeLines([piece(0, "a\nb")], 3)), ["a\nb"]);
    assert.deepEqual(texts(wholeLines([piece(0, "a\nb"), { offset: 3, next: 9, line: 2 }], 99)), ["a\nb", "<9>"]);
    assert.deepEqual(texts(wholeLines([piece(0, "ab"), piece(2, "c")], 99)), ["ab", "c"]);
  });
});

describe("a line far away", () => {
  it("is opened with some lines around it, and holes at both sides", async () => {
    const run = new FakeRun(numbered(100_000), 50_000);
    const log = atTail(run, 30);
    assert.equal(log.find(50_000).kind, "hole");
    await new Loader(log, run).open(50_000);
    const found = log.find(50_000);
    assert.ok(found.kind === "row");
    assert.equal(log.line(found.row).text, "line 50000");
    assert.deepEqual(shown(log).slice(0, 2), ["<hole 1-49899>", "line 49900"]);
    assert.ok(shown(log).some((row) => /^<hole \d+-9999\d>$/.test(row)));
    assert.equal(log.line(log.endLine - 1).text, "line 100000");
  });

  it("near to what is there goes on from that", async () => {
    const run = new FakeRun(numbered(300_000), 50_000);
    const log = atTail(run, 30);
    const loader = new Loader(log, run);
    await loader.open(40);
    assert.equal(shown(log)[0], "line 1");
    const holes = shown(log).filter((row) => row.startsWith("<")).length;
    const last = rows(log).find(({ missing }) => missing)?.missing?.firstNumber as number;
    await loader.open(last + 5);
    assert.equal(log.find(last + 5).kind, "row");
    assert.equal(shown(log).filter((row) => row.startsWith("<")).length, holes);
  });

  it("whose neighbours are gone is opened itself; one that is gone is refused", async () => {
    const run = new FakeRun(numbered(100_000), 50_000);
    run.keptFrom = run.starts[49_980] as number;
    const log = atTail(run, 30);
    const loader = new Loader(log, run);
    await loader.open(50_000);
    assert.equal(log.find(50_000).kind, "row");
    await assert.rejects(loader.open(100), /Line 100 is no longer kept/);
    assert.equal(log.find(100_001).kind, "beyond");
  });

  it("is found by the row that it begins in, at the borders of what is there", () => {
    const run = new FakeRun(numbered(100));
    const log = new RunLog(LIMITS);
    run.send(log, 10);
    run.skipTo(log, 51);
    run.send(log, 8);
    assert.deepEqual([1, 2, 3, 50, 51, 52].map((line) => log.find(line).kind), [
      "row", "row", "hole", "hole", "row", "beyond",
    ]);
  });
});

describe("memory", () => {
  it("is bounded in a flood: the oldest lines become a hole, and rows keep their numbers", () => {
    const run = new FakeRun(numbered(300_000));
    const log = new RunLog({ rows: 50_000, bytes: 1e9 });
    while (log.end.offset < run.data.length) run.send(log, 16_384);
    const kept = log.endLine - log.firstLine;
    assert.ok(kept <= 50_100 && kept > 30_000, `${kept}`);
    assert.equal(log.line(299_999).text, "line 300000");
    const { missing } = log.line(log.firstLine);
    const next = log.line(log.firstLine + 1);
    assert.equal(next.text, `line ${next.number}`);
    assert.equal(missing?.lastNumber, next.number - 1);
    assert.equal(missing?.bytes, run.starts[next.number - 1]);
  });

  it("is bounded by bytes too, also when no line ever ends", () => {
    const log = new RunLog({ rows: 1_000_000, bytes: 20_000_000 });
    const chunk = new TextEncoder().encode("x".repeat(1_000_000));
    for (let n = 0; n < 100; n += 1) log.write(chunk, 1, 0);
    const text = rows(log).reduce((sum, row) => sum + row.text.length, 0);
    assert.ok(text < 30_000_000, `${text}`);
    assert.equal(log.end.offset, 100_000_000);
  });

  it("drops what is far from the reader before what is near", async () => {
    const run = new FakeRun(numbered(200_000), 100_000);
    const log = new RunLog({ rows: 90_000, bytes: 1e9 });
    run.skipTo(log, 199_001);
    run.send(log, 1e6);
    const loader = new Loader(log, run);
    for (const line of [20_000, 60_000, 100_000, 140_000]) {
      await loader.open(line);
      const found = log.find(line);
      assert.ok(found.kind === "row", `${line}`);
      log.readerAt = () => {
        const row = log.find(line);
        return row.kind === "row" ? row.row : log.endLine;
      };
    }
    assert.equal(log.find(20_000).kind, "hole");
    assert.equal(log.find(140_000).kind, "row");
    assert.equal(log.find(199_500).kind, "row");
    assert.ok(log.endLine - log.firstLine < 90_100);
  });
});

describe("search over parts", () => {
  it("finds matches in reading order, also after more has been loaded", async () => {
    const run = new FakeRun(numbered(3_000));
    const log = atTail(run, 3_000);
    const finder = new Finder(log);
    log.onSplice.add((splice) => finder.splice(splice));
    finder.setQuery({ text: "00$", regex: true, matchCase: true });
    while (finder.step());
    assert.equal(finder.findings.total, 3);
    const hole = log.holeAt(log.firstLine);
    assert.ok(hole);
    await new Loader(log, run).load(hole, "previous");
    while (finder.step());
    const { matches, total } = finder.findings;
    assert.equal(total, 30);
    assert.deepEqual(matches.map(({ line }) => log.line(line).number), Array.from({ length: 30 }, (_, n) => (n + 1) * 100));
  });
});

describe("a search while memory lets go of lines", () => {
  it("keeps its matches on their lines, and forgets those that are gone", async () => {
    const run = new FakeRun(numbered(200_000), 100_000);
    const log = new RunLog({ rows: 60_000, bytes: 1e9 });
    run.send(log, 200_000);
    run.skipTo(log, 100_001);
    // the reader looks at the beginning, so that the live section loses its front
    log.readerAt = () => log.firstLine;
    const finder = new Finder(log);
    log.onSplice.add((splice) => finder.splice(splice));
    finder.setQuery({ text: "000$", regex: true, matchCase: true });
    while (log.end.offset < run.data.length) {
      run.send(log, 20_000);
      while (finder.step());
    }
    const expected = rows(log).filter(({ text }) => /^line \d+000$/.test(text)).map(({ number }) => number);
    const { matches, total } = finder.findings;
    assert.deepEqual(matches.map(({ line }) => log.line(line).number), expected);
    assert.equal(total, expected.length);
    assert.ok(expected.includes(1_000) && expected.includes(200_000) && !expected.includes(101_000));
  });
});

/** What holds for any log of a run, whatever has been done to it. */
function check(log: RunLog, run: FakeRun, name: string): void {
  let offset = 0;
  let number = 0;
  let wholeBytes = 0;
  for (const row of rows(log)) {
    assert.ok(row.number >= number, `${name}: ${row.number} below ${number}`);
    number = row.number;
    const line = run.lines[row.number - 1] ?? "";
    if (row.missing) {
      assert.ok(row.missing.bytes > 0, name);
      offset += row.missing.bytes;
      continue;
    }
    // a line may be cut where something is missing before or after it
    assert.ok(line.includes(row.text), `${name}: ${row.text}`);
    wholeBytes += new TextEncoder().encode(row.text).length;
  }
  // of a character that is cut nothing is shown yet
  if (run.data.some((byte) => byte > 127)) return;
  const lineEnds = run.data.subarray(0, log.end.offset).filter((byte) => byte === 10).length;

  assert.ok(offset + wholeBytes <= log.end.offset && offset + wholeBytes + lineEnds >= log.end.offset, name);
}

describe("anything that may happen to a log", () => {
  it("leaves every byte in one place, in order, and rows under numbers that can be followed", async () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = new Random(seed);
      const run = new FakeRun(randomText(random, 3_000, seed % 2 === 0), 1 + random.below(2_000));
      const log = new RunLog({ rows: 400 + random.below(5_000), bytes: 1e9 });
      const loader = new Loader(log, run);
      let before = new Map<number, string>();
      const remember = () => {
        before = new Map(rows(log).map((row, n) => [log.firstLine + n, `${row.number} ${row.text}`]));
      };
      log.onSplice.add((splice: Splice) => {
        for (const [row, text] of before) {
          const to = moved(row, splice);
          if (to === null || to < log.firstLine || text.endsWith(" ")) continue;
          const now = log.line(to);
          assert.ok(now.missing || `${now.number} ${now.text}`.startsWith(text), `seed ${seed}: ${text}`);
        }
        remember();
      });
      const holes = () => rows(log).flatMap((row, n) => (row.missing && !row.missing.isGone ? [log.firstLine + n] : []));
      const actions = [
        () => run.send(log, 1 + random.below(5_000)),
        () => run.send(log, 1 + random.below(50)),
        () => {
          run.send(log, run.character(log.end.offset) - log.end.offset);
          const offset = Math.min(run.data.length - 1, log.end.offset + random.below(8_000));
          log.skip(offset, run.lineOf(offset));
        },
        () => {
          run.send(log, run.character(log.end.offset) - log.end.offset);
          const offset = run.character(log.end.offset + random.below(3_000));
          run.keptFrom = Math.max(run.keptFrom, offset);
          log.gap(offset, run.lineOf(offset));
        },
        async () => {
          const hole = log.holeAt(random.pick([...holes(), log.endLine]));
          if (hole) await loader.load(hole, random.pick(["next", "previous"]), 1 + random.below(20_000));
        },
        async () => {
          const line = 1 + random.below(log.lastNumber);
          if (log.find(line).kind === "hole") await loader.open(line).catch(() => undefined);
        },
        () => (random.below(10) === 0 ? log.clear() : undefined),
        () => loader.askBeginning(),
      ];
      for (let n = 0; n < 60; n += 1) {
        remember();
        const kind = random.below(actions.length);
        await actions[kind]?.();
        check(log, run, `seed ${seed}, step ${n}, action ${kind}`);
      }
    }
  });
});
