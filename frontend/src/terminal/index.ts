/** The terminal model: `createLogModel` and the types of its seam. */
import type { Line, LogModel, LogModelOptions, SearchResult, StreamId, Style } from "./types";

export type * from "./types";

const PLAIN: Style = {
  fg: null, bg: null, bold: false, dim: false, italic: false,
  underline: false, inverse: false, strike: false, hidden: false,
};

/** First form, so that the page can be written against it: lines end at "\n", no sequences. */
export function createLogModel(_options: LogModelOptions = {}): LogModel {
  const decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
  let lines: Line[] = [];
  let first = 0;
  let open: Line | null = null;

  const count = (): number => first + lines.length + (open === null ? 0 : 1);
  const line = (n: number): Line => {
    const found = lines[n - first] ?? (n === count() - 1 ? open : null);
    if (!found || n < first) throw new RangeError(`no line ${n}: lines ${first} to ${count()} are kept`);
    return found;
  };
  return {
    write(data: Uint8Array, stream: StreamId, time: number): void {
      const parts = decoders[stream].decode(data, { stream: true }).split("\n");
      parts.forEach((part, i) => {
        if (i > 0) {
          lines.push(open ?? { text: "", spans: [], time, stream });
          open = null;
        }
        if (part) open = { text: (open?.text ?? "") + part, spans: [], time, stream };
      });
    },
    gap(bytes: number): void {
      if (open) lines.push(open);
      open = null;
      lines.push({ text: "", spans: [], time: 0, stream: 1, gapBytes: bytes });
    },
    clear(): void {
      first = count();
      lines = [];
      open = null;
    },
    get firstLine() { return first; },
    get endLine() { return count(); },
    get frozenLine() { return first + lines.length; },
    line,
    styleOf: () => PLAIN,
    search(query, limit): SearchResult {
      const result: SearchResult = { matches: [], total: 0 };
      for (let n = first; query.text && n < count(); n++) {
        const start = line(n).text.indexOf(query.text);
        if (start < 0) continue;
        result.total++;
        if (result.matches.length < limit) result.matches.push({ line: n, start, end: start + query.text.length });
      }
      return result;
    },
    text(from: number, to: number): string {
      const parts: string[] = [];
      for (let n = from; n < to; n++) parts.push(line(n).text);
      return parts.join("\n");
    },
  };
}
