/** How wide characters are, against the oracle's table of Unicode 11. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import unicode from "@xterm/addon-unicode11";
import type { IUnicodeVersionProvider, Terminal } from "@xterm/headless";
import { charWidth } from "../../src/terminal/width";

/** Code points whose width differs: those assigned since Unicode 11, and three that it has otherwise. */
const NEWER = 807;

function oracleTable(): IUnicodeVersionProvider {
  let table: IUnicodeVersionProvider | null = null;
  const terminal = {
    unicode: {
      register: (provider: IUnicodeVersionProvider) => {
        table = provider;
      },
    },
  };
  new unicode.Unicode11Addon().activate(terminal as unknown as Terminal);
  assert.ok(table);
  return table;
}

describe("the width of a character", () => {
  it("is the oracle's but for newer characters", () => {
    const table = oracleTable();
    let different = 0;
    for (let code = 0x20; code < 0x110000; code++) {
      const isControl = code >= 0x7f && code < 0xa0;
      // no text holds half a pair, and the byte order mark is dropped before
      if (isControl || (code >= 0xd800 && code < 0xe000) || code === 0xfeff) continue;
      if (charWidth(code) !== table.wcwidth(code)) different++;
    }
    assert.equal(different, NEWER);
  });

  it("knows characters that are newer than the oracle", () => {
    for (const [char, width] of [
      ["🥲", 2],
      ["🫠", 2],
      ["🛜", 2],
      ["\u{1abf}", 0],
      ["a", 1],
      ["­", 1],
      ["한", 2],
      ["\ufe0f", 0],
      ["\u200d", 0],
    ] as const) {
      assert.equal(charWidth(char.codePointAt(0) as number), width, char);
    }
  });
});
