/** Numbers of lines: the output's, which the server counts by "\n", on rows that programs may repaint. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLogModel } from "../../src/terminal/index";
import type { LogModel } from "../../src/terminal/index";
import { Numbering } from "../../src/terminal/numbering";
import { bytes, lines, pieces, randomCuts, texts } from "./feed";
import { Random } from "./random";

function numbers(model: LogModel): number[] {
  return lines(model).map(({ number }) => number);
}

function rowOfText(model: LogModel, text: string): number {
  return model.firstLine + texts(model).indexOf(text);
}

describe("a row's number", () => {
  it("is that of its line of output", () => {
    const model = createLogModel({ tailRows: 2 });
    model.write(bytes("a\n\nb\r\nc"), 1, 0);
    assert.deepEqual(numbers(model), [1, 2, 3, 4]);
    assert.equal(model.nextNumber, 4);
    model.nextNumber = 1_000;
    model.write(bytes("\nd\ne\nf\n"), 2, 0);
    assert.deepEqual(numbers(model), [1, 2, 3, 4, 1_001, 1_002, 1_003]);
  });

  it("counts the lines of a program that repaints rows", () => {
    const model = createLogModel({ tailRows: 5 });
    model.write(bytes("start\none\ntwo\n\x1b[2Aone!\ntwo!\nend\n"), 1, 0);
    assert.deepEqual(texts(model), ["start", "one!", "two!", "end"]);
    assert.deepEqual(numbers(model), [1, 2, 3, 6]);
  });

  it("counts line ends inside of what is swallowed, and no others", () => {
    const model = createLogModel();
    model.write(bytes("a\n\x1b]0;ti\ntle\x07b\n\x1b[\n31mc\vd\fe\u0085f\n"), 1, 0);
    assert.equal(model.nextNumber, 6);
    assert.equal(model.line(rowOfText(model, "b")).number, 3);
    assert.equal(model.line(rowOfText(model, "f")).number, 5);
  });

  it("never goes down once it is frozen, also where rows were put in above others", () => {
    const model = createLogModel({ tailRows: 4 });
    model.write(bytes("a\nbar\x1b[1A\x1b[L1\n2\n3\n4\n5\n6\n7\n"), 1, 0);
    const frozen = numbers(model).slice(0, model.frozenLine);
    assert.deepEqual(frozen, [...frozen].sort((a, b) => a - b));
  });

  it("is the number of line feeds before it, whatever is printed, however it is cut", () => {
    const words = ["a", "bc\n", "\n", "\r", "\x1b[31m", "\x1b]x\ny\x07", "\x1b[2A", "\x1b[3B", "\x1b[H", "é\n", "\x1b[L"];
    for (let seed = 1; seed <= 300; seed++) {
      const random = new Random(seed);
      const text = Array.from({ length: 200 }, () => random.pick(words)).join("");
      const model = pieces(text, randomCuts(random, bytes(text).length, 5), { tailRows: 6 });
      assert.equal(model.nextNumber, text.split("\n").length, `seed ${seed}`);
    }
  });
});

describe("the row of a number", () => {
  it("is where its line begins, in what is frozen and in the tail", () => {
    const model = createLogModel({ tailRows: 10 });
    for (let n = 1; n <= 5_000; n++) model.write(bytes(`line ${n}\n`), 1, 0);
    for (const n of [1, 2, 1_024, 1_025, 4_990, 4_995, 5_000]) {
      assert.equal(model.line(model.rowOf(n)).text, `line ${n}`);
    }
    assert.equal(model.rowOf(9_999), 4_999);
    model.dropBefore(3_000);
    assert.equal(model.rowOf(3_001), 3_000);
    assert.equal(model.rowOf(5), 3_000);
  });

  it("is the first of the rows that began in it, or that of the line before where none did", () => {
    const model = createLogModel({ tailRows: 5 });
    model.write(bytes("1\n2\n\x1b[2A1\n2\n5\v5b\n6\n"), 1, 0);
    assert.deepEqual(numbers(model), [1, 2, 5, 5, 6]);
    assert.deepEqual([1, 2, 3, 4, 5, 6].map((n) => model.rowOf(n)), [0, 1, 1, 1, 2, 4]);
  });
});

describe("a numbering", () => {
  it("gives back each row's number, and finds it, for any numbers that do not go down", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = new Random(seed);
      const all: number[] = [];
      const numbering = new Numbering();
      for (let n = random.below(5), i = 0; i < 300; i++) {
        n += random.pick([0, 1, 1, 1, 1, 1, 2, 50]);
        all.push(n);
        numbering.push(n);
      }
      assert.deepEqual(all.map((_, row) => numbering.at(row)), all);
      for (let n = -1; n <= (all.at(-1) as number) + 2; n++) {
        assert.equal(numbering.find(n), all.filter((other) => other <= n).length - 1, `seed ${seed}, ${n}`);
      }
    }
  });

  it("takes no memory for rows that count on", () => {
    const numbering = new Numbering();
    for (let n = 7; n < 100_000; n++) numbering.push(n);
    assert.ok(numbering.bytes < 100);
  });
});
