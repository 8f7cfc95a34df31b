/**
 * The line numbers of rows, which never go down. Nearly every row has the number after that of the row above it, so
 * only the others are listed: a million rows of ordinary output take the memory of one.
 */
export class Numbering {
  /** Rows whose number is not the one after the row above; the first row is always listed. */
  readonly #rows: number[] = [];
  readonly #numbers: number[] = [];
  #count = 0;
  #next = Number.NaN;

  get count(): number {
    return this.#count;
  }

  /** Bytes that it takes, about. */
  get bytes(): number {
    return this.#rows.length * 2 * Float64Array.BYTES_PER_ELEMENT;
  }

  /** @param number not below the row before */
  push(number: number): void {
    if (number !== this.#next) {
      this.#rows.push(this.#count);
      this.#numbers.push(number);
    }
    this.#next = number + 1;
    this.#count++;
  }

  /** The number of a row in [0, count). */
  at(row: number): number {
    const i = lastUpTo(this.#rows, row);
    return (this.#numbers[i] as number) + row - (this.#rows[i] as number);
  }

  /** The last row whose number is at most `number`; -1 when there is none. */
  find(number: number): number {
    const i = lastUpTo(this.#numbers, number);
    if (i < 0) return -1;
    const row = (this.#rows[i] as number) + number - (this.#numbers[i] as number);
    return Math.min(row, (this.#rows[i + 1] ?? this.#count) - 1);
  }
}

/** Index of the last value that is at most `value`, in ascending values; -1 when there is none. */
export function lastUpTo(values: readonly number[], value: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
