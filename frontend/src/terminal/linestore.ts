/** The line store: frozen lines by absolute number, dropped from the front in blocks when there are too many. */
import { OpenBlock } from "./block";
import type { FrozenLine, JoinedText, SealedBlock } from "./block";
import type { Line } from "./types";

/** Lines of a block: a smaller one has more overhead, a larger one drops more lines at once. Measured 2026-11. */
const BLOCK_LINES = 1_024;
/** UTF-16 units of a block, for long lines; V8 keeps strings beyond 128 KiB in a space of their own. */
const BLOCK_UNITS = 131_072;
/** A block is at most this part of the lines to keep, so that a small limit does not lose all at once. */
const BLOCKS_KEPT = 8;

export class LineStore {
  #blocks: SealedBlock[] = [];
  #open = new OpenBlock(0);
  readonly #blockLines: number;
  #bytes = 0;

  /**
   * @param maxLines lines to keep at most
   * @param maxBytes memory for them, about
   */
  constructor(private readonly maxLines: number, private readonly maxBytes: number) {
    this.#blockLines = Math.max(1, Math.min(BLOCK_LINES, Math.floor(maxLines / BLOCKS_KEPT)));
  }

  /** Number of the first line kept. */
  get first(): number {
    return this.#blocks[0]?.first ?? this.#open.first;
  }

  /** Number past the last line. */
  get end(): number {
    return this.#open.first + this.#open.count;
  }

  /** Memory of the lines kept, about. */
  get bytes(): number {
    return this.#bytes + this.#open.units;
  }

  /**
   * @param wide whether the text holds characters beyond Latin-1
   * @returns whether a block is full: the caller then calls `seal`
   */
  add(line: FrozenLine, wide: boolean): boolean {
    this.#open.add(line, wide);
    return this.#open.count >= this.#blockLines || this.#open.units >= BLOCK_UNITS;
  }

  /** @param mixed whether lines added since the last time may be slices of texts with characters beyond Latin-1 */
  seal(mixed: boolean): void {
    const block = this.#open.seal(mixed);
    this.#blocks.push(block);
    this.#bytes += block.bytes;
    this.#open = new OpenBlock(this.end);
    let dropped = 0;
    let kept = this.end - this.first;
    // room for the next block, so that the limit holds at any time
    const room = this.maxLines - this.#blockLines;
    while (kept > room || (this.#bytes > this.maxBytes && dropped + 1 < this.#blocks.length)) {
      const { bytes, count } = this.#blocks[dropped++] as SealedBlock;
      this.#bytes -= bytes;
      kept -= count;
    }
    if (dropped > 0) this.#blocks.splice(0, dropped);
  }

  /** Forgets all lines; numbers go on from `next`. */
  clear(next: number): void {
    this.#blocks = [];
    this.#open = new OpenBlock(next);
    this.#bytes = 0;
  }

  /** The line with a number that is kept. */
  line(n: number): Line {
    if (n >= this.#open.first) return this.#open.line(n - this.#open.first);
    const block = this.#blocks[this.#indexOf(n)] as SealedBlock;
    return block.line(n - block.first);
  }

  /** The blocks that hold lines of [from, to), oldest first. */
  *blocks(from: number, to: number): Generator<JoinedText & { readonly first: number; readonly count: number }> {
    for (let i = this.#indexOf(from); i < this.#blocks.length; i++) {
      const block = this.#blocks[i] as SealedBlock;
      if (block.first >= to) return;
      yield block;
    }
    const { first, count } = this.#open;
    if (count > 0 && to > first) yield { ...this.#open.joined(), first, count };
  }

  /** Index of the block that holds line n, or of the first one beyond it. */
  #indexOf(n: number): number {
    let [low, high] = [0, this.#blocks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const block = this.#blocks[middle] as SealedBlock;
      if (block.first + block.count <= n) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
