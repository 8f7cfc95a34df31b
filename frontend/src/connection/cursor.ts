/** What to do with bytes that arrived. */
export type Arrival =
  /** Take them from `skip` on; the bytes before that were here already. */
  | { readonly kind: "take"; readonly skip: number }
  /** All of them were here already. */
  | { readonly kind: "repeat" }
  /** Bytes before them are missing: nothing may be taken. */
  | { readonly kind: "jump"; readonly missing: number };

/**
 * The position in a run's output up to which everything has been taken, in bytes.
 * It only moves over bytes that are here, or that the server declared gone.
 */
export class Cursor {
  #offset: number;

  constructor(offset = 0) {
    this.#offset = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  /** Judges `length` bytes at `offset` and moves past them when they are to be taken. */
  accept(offset: number, length: number): Arrival {
    if (offset > this.#offset) return { kind: "jump", missing: offset - this.#offset };
    const end = offset + length;
    if (end <= this.#offset) return { kind: "repeat" };
    const skip = this.#offset - offset;
    this.#offset = end;
    return { kind: "take", skip };
  }

  /** Moves past bytes that are no longer kept; gives how many of them were missed, 0 when none,
   * or null when the gap begins beyond the cursor (so something before it is missing). */
  skipGap(offset: number, next: number): number | null {
    if (offset > this.#offset) return null;
    const missed = Math.max(0, next - this.#offset);
    this.#offset += missed;
    return missed;
  }

  moveTo(offset: number): void {
    this.#offset = offset;
  }
}
