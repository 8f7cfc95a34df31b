/**
 * The seam between the terminal model (pure) and the page (DOM).
 *
 * A model takes a run's output as bytes and answers numbered lines. Lines below `frozenLine` never
 * change again; those from `frozenLine` to `endLine` are the tail that `\r` and cursor sequences
 * rewrite. Nothing here reads a clock, the DOM or the network.
 */

/** 1 = stdout, 2 = stderr. */
export type StreamId = 1 | 2;

/** Colours: null = the page's default, 0-255 = palette index, from 0x1000000 on = 0x1000000 | 0xRRGGBB. */
export interface Style {
  readonly fg: number | null;
  readonly bg: number | null;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly inverse: boolean;
  readonly strike: boolean;
  readonly hidden: boolean;
}

/** What a row stands for that shows no text: output that is not here. */
export interface Missing {
  readonly bytes: number;
  /** Numbers of the first and the last line of output that are missing, wholly or in part. */
  readonly firstNumber: number;
  readonly lastNumber: number;
  /** The server does not keep it any more; otherwise it can be loaded. */
  readonly isGone: boolean;
  /** Text of the log stands before it, or after it. */
  readonly hasBefore: boolean;
  readonly hasAfter: boolean;
  readonly isLoading: boolean;
  /** Why loading it failed; empty when it did not. */
  readonly failure: string;
}

/** UTF-16 columns [start, end) of a line's text, and the style's id for `styleOf`; unstyled text has no span. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly style: number;
}

export interface Line {
  /** Without a line end; may be as long as MAX_COLUMNS. */
  readonly text: string;
  /** Ascending, not overlapping. */
  readonly spans: readonly Span[];
  /** Of the chunk that began the row, as given to `write` (ms since the epoch). */
  readonly time: number;
  readonly stream: StreamId;
  /** Of the line of output, from 1, that the row began in: lines end at "\n", however often a program repaints rows. */
  readonly number: number;
  /** Set on a row that stands for missing output; its text is empty. */
  readonly missing?: Missing;
  /** The row goes on from the row before it (automatic wrap); `text()` puts no line end between. */
  readonly wrapped?: boolean;
  /** Style whose background runs from the end of the text to the window's edge (erased in colour). */
  readonly fill?: number;
}

export interface SearchQuery {
  readonly text: string;
  readonly regex: boolean;
  readonly matchCase: boolean;
  /** Absolute numbers of the lines to look at, [from, to); all lines by default. */
  readonly from?: number;
  readonly to?: number;
  /** Asked between lines now and then; true ends the search, whose result is then `partial`. */
  readonly stop?: () => boolean;
}

/** `start` and `end` are UTF-16 columns of the line's text. */
export interface SearchMatch {
  readonly line: number;
  readonly start: number;
  readonly end: number;
}

export interface SearchResult {
  /** In reading order, at most `limit` of them. */
  matches: SearchMatch[];
  /** All matches, also those beyond `limit`; exact unless `partial`. */
  total: number;
  /** Set when some text was not looked at: `total` is then a lower bound. */
  partial?: boolean;
  /** Why the query cannot be searched for, to show beside the field. */
  error?: string;
}

/** What one can see of a log: all that the window, the search and the selection need. */
export interface LogText {
  /** Number of the first row kept. */
  readonly firstLine: number;
  /** Number past the last line; it never goes down. An empty row that only the cursor is on does not count. */
  readonly endLine: number;
  /** Lines below this number never change again, but may be dropped. */
  readonly frozenLine: number;
  /**
   * The line with an absolute number; RangeError outside [firstLine, endLine). A row of the tail
   * that has not changed since the last call answers the same object.
   */
  line(n: number): Line;
  /** RangeError when no span ever carried this id. */
  styleOf(id: number): Style;
  search(query: SearchQuery, limit: number): SearchResult;
  /** Plain text of lines [from, to) for copy, joined by "\n"; RangeError outside the kept lines. */
  text(from: number, to: number): string;
}

/** A log that is being written; rows are dropped from its front only. */
export interface LogModel extends LogText {
  /** Takes the next bytes of one stream; any split of the same bytes gives the same lines. */
  write(data: Uint8Array, stream: StreamId, time: number): void;
  /** Number of the output's line, from 1, in which the next byte lies; set where the count begins elsewhere. */
  nextNumber: number;
  /** Forgets all lines. Numbers go on from `endLine`, so a line's number never means another line. */
  clear(): void;
  /** Forgets the lines before `line`, or as many of them as are frozen. */
  dropBefore(line: number): void;
  /** Memory that the frozen lines take, about. */
  readonly bytes: number;
  /** The row in which line `number` of the output begins; that of the nearest one before it, or the first row kept. */
  rowOf(number: number): number;
}

/** Numbers the styles; made by `createStyles`. */
export interface StyleNames {
  id(fg: number, bg: number, flags: number): number;
  get(id: number): Style;
}

export interface LogModelOptions {
  /** Names of styles, shared by logs that are shown as one. */
  styles?: StyleNames;
  /** Rows that `\r` and cursor sequences can still reach. */
  tailRows?: number;
  /** Width at which rows wrap; without it they do not, and the page wraps as it likes. */
  columns?: number;
}
