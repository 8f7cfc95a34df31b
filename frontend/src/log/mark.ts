/** A place in a run's output: a byte, and the number from 1 of the line that it lies in. */
export interface Mark {
  readonly offset: number;
  readonly line: number;
}

/** A piece of output as the server sends it; `line` is that of its first byte, null from a server that does not say. */
export interface Piece {
  readonly offset: number;
  readonly data: Uint8Array;
  readonly stream: 1 | 2;
  readonly time: number;
  readonly line: number | null;
}

/** Bytes that are no longer kept, from `offset` to `next`; `line` is that of byte `next`. */
export interface LostPiece {
  readonly offset: number;
  readonly next: number;
  readonly line: number | null;
}

export type OutputItem = Piece | LostPiece;

export function isLost(item: OutputItem): item is LostPiece {
  return "next" in item;
}
