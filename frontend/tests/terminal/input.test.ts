/** Bytes on their way in: UTF-8, streams, sequences cut in two, strings that are swallowed. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLogModel } from "../../src/terminal/index";
import type { LogModel, StreamId } from "../../src/terminal/index";
import { MAX_STRING } from "../../src/terminal/parser";
import { bytes, lines, pieces, texts, whole } from "./feed";

/** What a page can see of a model. */
function seen(model: LogModel): string {
  return JSON.stringify(
    lines(model).map((line) => ({
      ...line,
      spans: line.spans.map((span) => ({ ...span, style: model.styleOf(span.style) })),
    })),
  );
}

function everySplit(data: Uint8Array): void {
  const expected = seen(whole(data));
  for (let first = 0; first <= data.length; first++) {
    for (let second = first; second <= data.length; second++) {
      assert.equal(seen(pieces(data, [first, second])), expected, `cut at ${first} and ${second}`);
    }
  }
}

describe("UTF-8", () => {
  it("decodes characters of all lengths cut at every two places", () => {
    everySplit(bytes("aé你🚀e\u0301 ✓\n🧑‍🚀️☎️\n"));
  });

  it("shows invalid bytes as U+FFFD, cut at every two places", () => {
    const data = Uint8Array.of(
      0x61,
      0xff,
      0xc3,
      0x28,
      0xe4,
      0xbd,
      0x0a,
      0xf0,
      0x9f,
      0x9a,
      0x41,
      0xed,
      0xa0,
      0x80,
      0xc0,
      0x80,
      0x80,
      0x0a,
      0x62,
      0xe2,
    );
    everySplit(data);
    assert.deepEqual(texts(whole(data)), ["a\ufffd\ufffd(\ufffd", "\ufffdA\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd", "b"]);
  });

  it("keeps half a character of each stream until its other half comes", () => {
    const model = createLogModel();
    const [first, second] = [bytes("é"), bytes("你")];
    const write = (stream: StreamId, data: Uint8Array): void => model.write(data, stream, 0);
    write(1, first.subarray(0, 1));
    write(2, second.subarray(0, 2));
    write(1, first.subarray(1));
    write(2, second.subarray(2));
    assert.deepEqual(texts(model), ["é你"]);
  });

  it("drops byte order marks", () => {
    assert.deepEqual(texts(whole("\ufeffa\n\ufeff\nb\ufeffc\n")), ["a", "", "bc"]);
  });
});

describe("sequences", () => {
  it("are understood cut at every two places", () => {
    everySplit(bytes("a\x1b[1;38;2;10;20;30mb\x1b]0;t\x07c\x1b(B\x1bPx\x1b\\d\x1b[m\r\ne\x1b[2Df\x1b7g\x1b8h"));
  });

  it("of one stream survive output of the other in their middle", () => {
    const model = createLogModel();
    model.write(bytes("\x1b[3"), 1, 0);
    model.write(bytes("warning\n"), 2, 0);
    model.write(bytes("1mred"), 1, 0);
    const [first, second] = lines(model);
    assert.equal(first?.text, "warning");
    assert.deepEqual(first?.spans, []);
    assert.equal(second?.text, "red");
    assert.equal(model.styleOf(second?.spans[0]?.style ?? 0).fg, 1);
  });

  it("that are not known print nothing", () => {
    const text =
      '\x1b[?1;2c\x1b[>0q\x1b[18t\x1b[5i\x1b#8\x1b%G\x1b[?2004h\x1b[4h\x1b[1 q\x1b[!p\x1b[62"p\x0e\x0f\x07\x00\x05\x7f';
    assert.deepEqual(texts(whole(`a${text}b`)), ["ab"]);
  });

  it("take a colour in colons with and without a colour space", () => {
    const model = whole("\x1b[38:2:1:2:3ma\x1b[38:2::1:2:3mb\x1b[48:5:9mc");
    const styles = model.line(0).spans.map(({ style }) => model.styleOf(style));
    assert.deepEqual(
      styles.map(({ fg, bg }) => [fg, bg]),
      [
        [0x1010203, null],
        [0x1010203, 9],
      ],
    );
  });

  it("with thousands of parameters are dropped and what follows is shown", () => {
    assert.deepEqual(texts(whole(`a\x1b[${"1;".repeat(5_000)}mb`)), ["ab"]);
  });
});

describe("strings for the terminal", () => {
  for (const [name, text] of [
    ["a title ended by BEL", "\x1b]0;title\x07"],
    ["a title ended by ST", "\x1b]2;title\x1b\\"],
    ["a link", "\x1b]8;id=1;http://x.example/\x1b\\"],
    ["a sixel image", "\x1bPq\x07#0;2;0;0;0~~\x1b\\"],
    ["an application's", "\x1b_Gf=100;AAAA\x1b\\"],
    ["a privacy message", "\x1b^secret\x1b\\"],
    ["one begun by U+009D", "\u009d0;title\u009c"],
    ["one cancelled", "\x1b]0;ti\x18"],
  ] as const) {
    it(`${name} is swallowed`, () => assert.deepEqual(texts(whole(`a${text}b`)), ["ab"]));
  }

  it("a link's text stays", () => {
    assert.deepEqual(texts(whole("\x1b]8;;http://x.example/\x1b\\here\x1b]8;;\x1b\\.")), ["here."]);
  });

  it("one without an end gives up after a bound, the same at any split", () => {
    const data = bytes(`a\x1b]52;c;${"A".repeat(MAX_STRING)}\nafter\n`);
    const expected = texts(whole(data));
    assert.equal(expected.at(-1), "after");
    assert.ok((expected[0] as string).length < 20, "the part beyond the bound is text again");
    for (const cuts of [[1, 2, 3], [100_000], [MAX_STRING], [MAX_STRING + 3, MAX_STRING + 4]]) {
      assert.deepEqual(texts(pieces(data, cuts)), expected);
    }
  });
});
