/** A run as a server has it, for tests: its output, what of it is kept, and reading from anywhere. */
import type { From, OutputSource } from "../../src/log/loader";
import type { OutputItem } from "../../src/log/mark";
import type { RunLog } from "../../src/log/runlog";
import type { Line } from "../../src/terminal/types";
import type { Random } from "../terminal/random";

const LF = 10;

export class FakeRun implements OutputSource {
  readonly data: Uint8Array;
  /** Offsets at which lines begin. */
  readonly starts: number[] = [0];
  readonly lines: string[];
  /** Bytes before this one are gone. */
  keptFrom = 0;
  readonly reads: From[] = [];

  constructor(text: string, private readonly chunkBytes = 1_000) {
    this.data = new TextEncoder().encode(text);
    this.lines = text.split("\n");
    this.data.forEach((byte, at) => byte === LF && this.starts.push(at + 1));
  }

  lineOf(offset: number): number {
    let line = this.starts.length;
    while ((this.starts[line - 1] as number) > offset) line -= 1;
    return line;
  }

  async read(from: From, bytes: number): Promise<readonly OutputItem[]> {
    this.reads.push(from);
    let offset = "offset" in from ? from.offset : this.starts[from.line - 1];
    if (offset === undefined) throw new Error("There is no such line.");
    if ("line" in from && offset < this.keptFrom) throw new Error(`Line ${from.line} is no longer kept.`);
    const items: OutputItem[] = [];
    if (offset < this.keptFrom) {
      items.push({ offset, next: this.keptFrom, line: this.lineOf(this.keptFrom) });
      offset = this.keptFrom;
      if (bytes === 1) return items;
    }
    const end = Math.min(this.data.length, offset + bytes);
    for (; offset < end; offset += this.chunkBytes) {
      const data = this.data.subarray(offset, Math.min(end, offset + this.chunkBytes));
      items.push({ offset, data, stream: 1, time: offset, line: this.lineOf(offset) });
    }
    return items;
  }

  /** The first byte of a character at `offset` or after it. */
  character(offset: number): number {
    let at = Math.min(offset, this.data.length);
    while (((this.data[at] ?? 0) & 0xc0) === 0x80) at += 1;
    return at;
  }

  /** Leaves out what is before line `number`. */
  skipTo(log: RunLog, number: number): void {
    const offset = (this.starts[number - 1] as number) - 1;
    log.skip(offset, this.lineOf(offset));
  }

  /** Sends what follows the log's end to its live end. */
  send(log: RunLog, bytes: number): void {
    const { offset } = log.end;
    log.write(this.data.subarray(offset, offset + bytes), 1, offset, this.lineOf(offset));
  }
}

/** Numbered lines of different lengths, some with characters of several bytes. */
export function randomText(random: Random, count: number, isWide: boolean): string {
  const words = ["", "x", "word ".repeat(3), "x".repeat(200), ...(isWide ? ["é", "你好"] : [])];
  return Array.from({ length: count }, (_, n) => `${n + 1}: ${random.pick(words)}`).join("\n");
}

export function rows(log: RunLog): Line[] {
  return Array.from({ length: log.endLine - log.firstLine }, (_, n) => log.line(log.firstLine + n));
}

/** Rows in short: their text, or what is missing. */
export function shown(log: RunLog): string[] {
  return rows(log).map(({ text, missing }) =>
    missing ? `<${missing.isGone ? "gone" : "hole"} ${missing.firstNumber}-${missing.lastNumber}>` : text,
  );
}
