/** The line store: frozen lines by absolute number, dropped from the front. */
import { OpenBlock } from "./block";
import type { FrozenLine, JoinedText, SealedBlock } from "./block";
import type { Line } from "./types";

/** Lines of a block: a smaller one has more overhead, a larger one drops more lines at once. Measured 2026-11. */
const BLOCK_LINES = 1_024;
/** UTF-16 units of a block, for long lines; V8 keeps strings beyond 128 KiB in a space of their own. */
const BLOCK_UNITS = 131_072;

export class LineStore {
  #blocks: SealedBlock[] = [];
  #open = new OpenBlock(0);
  #bytes = 0;
  #lastNumber = 0;
  /** Number of the first line kept; its block may hold some that were dropped before it. */
  #first = 0;

  get first(): number {
    return this.#first;
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
    // a row that a program put in above others comes later than they do
    this.#lastNumber = Math.max(line.number, this.#lastNumber);
    this.#open.add(line.number < this.#lastNumber ? { ...line, number: this.#lastNumber } : line, wide);
    return this.#open.count >= BLOCK_LINES || this.#open.units >= BLOCK_UNITS;
  }

  /** @param mixed whether lines added since the last time may be slices of texts with characters beyond Latin-1 */
  seal(mixed: boolean): void {
    const block = this.#open.seal(mixed);
    this.#blocks.push(block);
    this.#bytes += block.bytes;
    this.#open = new OpenBlock(this.end);
  }

  /** Forgets the lines before n. */
  dropBefore(n: number): void {
    this.#first = Math.max(this.#first, Math.min(n, this.end));
    let dropped = 0;
    for (const block of this.#blocks) {
      if (block.first + block.count > this.#first) break;
      this.#bytes -= block.bytes;
      dropped++;
    }
    if (dropped > 0) this.#blocks.splice(0, dropped);
  }

  /** The last line kept whose row number is at most `number`; the one before `first` when there is none. */
  find(number: number): number {
    const blocks = [...this.#blocks, this.#open];
    let [low, high] = [0, blocks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { numbers } = blocks[middle] as SealedBlock | OpenBlock;
      if (numbers.count > 0 && numbers.at(0) <= number) low = middle + 1;
      else high = middle;
    }
    const block = blocks[low - 1];
    return Math.max(this.#first - 1, block ? block.first + block.numbers.find(number) : -1);
  }

  /** Forgets all lines; numbers go on from `next`. */
  clear(next: number): void {
    this.#blocks = [];
    this.#open = new OpenBlock(next);
    this.#first = next;
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
