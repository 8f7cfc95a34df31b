/** Search over joined lines: plain text with the platform's indexOf or one regular expression, else line by line. */
import type { JoinedText } from "./block";
import type { SearchMatch, SearchQuery, SearchResult } from "./types";

/** Lines [first, first + count) as one text. */
export interface SearchText extends JoinedText {
  readonly first: number;
  readonly count: number;
}

/** UTF-16 units of a line that a regular expression is tried on: `\w*x` takes the square of it, 0.2 s. */
export const REGEX_UNITS = 16_384;
/** Lines between two questions whether to stop; some 0.1 ms. */
const STOP_LINES = 256;

/** Something repeated that is repeated itself, e.g. (a+)+: it takes ever longer on a line that almost matches. */
const ENDLESS = /\((?:\?:)?(?:\\.|\[(?:\\.|[^\]\\])*\]|[^\\()[\]])[+*]\)[+*{]/;

/** Finds all matches in the texts, in their order, between lines `from` and `to`. */
export function search(
  texts: Iterable<SearchText>, query: SearchQuery, limit: number, from: number, to: number,
): SearchResult {
  const result: SearchResult = { matches: [], total: 0 };
  if (query.text === "") return result;
  const finder = query.regex ? regexFinder(query) : plainFinder(query);
  if (typeof finder === "string") return { ...result, error: finder };
  for (const text of texts) {
    if (query.stop?.()) {
      result.partial = true;
      break;
    }
    const start = Math.max(0, from - text.first);
    const end = Math.min(text.count, to - text.first);
    if (!finder(text, start, end, result, limit)) {
      result.partial = true;
      if (query.stop?.()) break;
    }
  }
  return result;
}

/** Looks at lines [start, end) of a text and adds to the result; false when it did not look at everything. */
type Finder = (text: SearchText, start: number, end: number, result: SearchResult, limit: number) => boolean;

function plainFinder(query: SearchQuery): Finder {
  // a line holds no line end, but the joined text does
  if (query.text.includes("\n")) return () => true;
  const next = query.matchCase ? indexFinder(query.text) : caselessFinder(query.text);
  return ({ text, starts, first }, start, end, result, limit) => {
    const stop = (starts[end] as number) - 1;
    let line = start;
    for (let at = next(text, starts[start] as number); at >= 0 && at < stop; at = next(text, at + query.text.length)) {
      result.total++;
      if (result.matches.length >= limit) continue;
      while ((starts[line + 1] as number) <= at) line++;
      const column = at - (starts[line] as number);
      result.matches.push({ line: first + line, start: column, end: column + query.text.length });
    }
    return true;
  };
}

type Next = (text: string, from: number) => number;

function indexFinder(needle: string): Next {
  return (text, from) => text.indexOf(needle, from);
}

function caselessFinder(needle: string): Next {
  const pattern = new RegExp(needle.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"), "gi");
  return (text, from) => {
    pattern.lastIndex = from;
    return pattern.exec(text)?.index ?? -1;
  };
}

function regexFinder({ text: source, matchCase, stop }: SearchQuery): Finder | string {
  if (ENDLESS.test(source)) return "a repetition inside a repetition, such as (a+)+, may take for ever: write a+";
  // what begins with .* matches at a line's start or nowhere: trying each place takes a hundred times as long
  const placing = source.startsWith(".*") && !source.includes("|") ? "y" : "g";
  // no line holds a line end, so that a dot may stand for anything
  const pattern = compiled(source, `${placing}s${matchCase ? "" : "i"}`);
  if (typeof pattern === "string") return pattern;
  return ({ text, starts, first }, start, end, result, limit) => {
    let complete = true;
    for (let index = start; index < end; index++) {
      if (index % STOP_LINES === 0 && stop?.()) return false;
      const begin = starts[index] as number;
      const length = (starts[index + 1] as number) - 1 - begin;
      if (length > REGEX_UNITS) complete = false;
      findInLine(pattern, text.slice(begin, begin + Math.min(length, REGEX_UNITS)), first + index, result, limit);
    }
    return complete;
  };
}

/** With Unicode rules where the pattern allows them. */
function compiled(source: string, flags: string): RegExp | string {
  try {
    return new RegExp(source, `${flags}u`);
  } catch {
    try {
      return new RegExp(source, flags);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

function findInLine(pattern: RegExp, text: string, line: number, result: SearchResult, limit: number): void {
  pattern.lastIndex = 0;
  for (let found = pattern.exec(text); found; found = pattern.exec(text)) {
    const { index } = found;
    const end = index + found[0].length;
    if (end === index) {
      // nothing to show: go on, past both halves of a pair
      pattern.lastIndex += (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
      continue;
    }
    result.total++;
    if (result.matches.length < limit) result.matches.push({ line, start: index, end } satisfies SearchMatch);
  }
}
