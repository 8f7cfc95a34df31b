/**
 * A change in the middle of a log, in the numbers that rows had before it: `removed` rows from `at` on became `added`
 * others. Rows below keep their numbers, so that a run's live end never moves; rows above move.
 */
export interface Splice {
  readonly at: number;
  readonly removed: number;
  readonly added: number;
  /** Which of the neighbours stands still for a reader who looks at the place. */
  readonly keep: "above" | "below";
  /** Whether there is text that was not there before. */
  readonly isFresh: boolean;
}

/** The number that a row has after a change; null when it was removed. */
export function moved(row: number, { at, removed, added }: Splice): number | null {
  if (row >= at + removed) return row;
  return row < at ? row + removed - added : null;
}
