/**
 * A block: some hundred frozen lines as one string and a few typed arrays, so that a million lines take about as
 * many bytes as their text has characters, and a search runs over long strings.
 */
import { Numbering } from "./numbering";
import { spanObjects } from "./spans";
import type { Line, StreamId } from "./types";

/** A line on its way into the store. */
export interface FrozenLine {
  readonly text: string;
  /** Triples start, end, style. */
  readonly spans: readonly number[];
  readonly time: number;
  readonly stream: StreamId;
  readonly wrapped: boolean;
  readonly fill: number;
  readonly number: number;
}

const STREAM_2 = 1;
const WRAPPED = 2;

/** Lines of a block, joined by "\n". */
export interface JoinedText {
  readonly text: string;
  /** Where each line begins, and past the end where the next one would. */
  readonly starts: ArrayLike<number>;
}

/** Joins lines; none of them holds "\n". */
export function joinLines(texts: readonly string[]): JoinedText {
  const starts = new Uint32Array(texts.length + 1);
  for (let i = 0; i < texts.length; i++) starts[i + 1] = (starts[i] as number) + (texts[i] as string).length + 1;
  return { text: texts.join("\n"), starts };
}

/** The block that lines are added to. */
export class OpenBlock {
  readonly #texts: string[] = [];
  readonly #times: number[] = [];
  readonly #flags: number[] = [];
  readonly #spans: number[] = [];
  readonly #spanEnds: number[] = [];
  readonly #fills = new Map<number, number>();
  readonly numbers = new Numbering();
  #joined: JoinedText | null = null;
  /** UTF-16 units, line ends included. */
  units = 0;
  #wide = false;

  constructor(readonly first: number) {}

  get count(): number {
    return this.#texts.length;
  }

  /** @param wide whether the text holds characters beyond Latin-1 */
  add(line: FrozenLine, wide: boolean): void {
    if (line.fill !== 0) this.#fills.set(this.count, line.fill);
    this.numbers.push(line.number);
    this.#texts.push(line.text);
    this.#times.push(line.time);
    this.#flags.push((line.stream === 2 ? STREAM_2 : 0) | (line.wrapped ? WRAPPED : 0));
    for (const number of line.spans) this.#spans.push(number);
    this.#spanEnds.push(this.#spans.length);
    this.units += line.text.length + 1;
    this.#wide ||= wide;
    this.#joined = null;
  }

  joined(): JoinedText {
    return (this.#joined ??= joinLines(this.#texts));
  }

  /**
   * The block in its final form.
   * @param mixed whether lines may be slices of texts that hold characters beyond Latin-1
   */
  seal(mixed: boolean): SealedBlock {
    const { text, starts } = this.joined();
    return new SealedBlock(this.first, this.count, mixed && !this.#wide ? narrowed(text) : text, starts, {
      times: new Float64Array(this.#times),
      flags: new Uint8Array(this.#flags),
      spans: new Uint32Array(this.#spans),
      spanEnds: this.#spans.length ? new Uint32Array(this.#spanEnds) : null,
      fills: this.#fills.size ? this.#fills : null,
      numbers: this.numbers,
    }, this.#wide);
  }

  line(index: number): Line {
    return describe(this.#texts[index] as string, index, {
      times: this.#times, flags: this.#flags, spans: this.#spans, spanEnds: this.#spanEnds, fills: this.#fills,
      numbers: this.numbers,
    });
  }
}

/** The same text with one byte a character: a slice of a string with two keeps two. */
function narrowed(text: string): string {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  // "latin1" is windows-1252 to the platform: it differs in U+0080 to U+009F only, which are never printed
  return new TextDecoder("latin1").decode(bytes);
}

interface Columns {
  readonly times: ArrayLike<number>;
  readonly flags: ArrayLike<number>;
  readonly spans: ArrayLike<number>;
  /** Past each line's last span; null when no line has any. */
  readonly spanEnds: ArrayLike<number> | null;
  readonly fills: ReadonlyMap<number, number> | null;
  readonly numbers: Numbering;
}

function describe(text: string, index: number, columns: Columns): Line {
  const { times, flags, spans, spanEnds } = columns;
  const flag = flags[index] as number;
  const fill = columns.fills?.get(index);
  const line: { -readonly [key in keyof Line]: Line[key] } = {
    text,
    spans: spanEnds ? spanObjects(spans, spanEnds[index - 1] ?? 0, spanEnds[index] as number) : [],
    time: times[index] as number,
    stream: flag & STREAM_2 ? 2 : 1,
    number: columns.numbers.at(index),
  };
  if (flag & WRAPPED) line.wrapped = true;
  if (fill !== undefined) line.fill = fill;
  return line;
}

/** Bytes of a line beside its text: start 4, time 8, flags 1. */
const LINE_BYTES = 13;
/** Three numbers of four bytes, and a place in the list of ends now and then. */
const SPAN_NUMBER_BYTES = 4;

/** A full block: it never changes. */
export class SealedBlock implements JoinedText {
  /** Memory that it takes, about. */
  readonly bytes: number;

  constructor(
    readonly first: number,
    readonly count: number,
    readonly text: string,
    readonly starts: ArrayLike<number>,
    private readonly columns: Columns,
    wide: boolean,
  ) {
    const listed = columns.spans.length + (columns.spanEnds?.length ?? 0);
    this.bytes = text.length * (wide ? 2 : 1) + count * LINE_BYTES + listed * SPAN_NUMBER_BYTES + this.numbers.bytes;
  }

  get numbers(): Numbering {
    return this.columns.numbers;
  }

  line(index: number): Line {
    const start = this.starts[index] as number;
    return describe(this.text.slice(start, (this.starts[index + 1] as number) - 1), index, this.columns);
  }
}
