/** The oracle: xterm.js without a DOM. What it shows for some bytes, the model has to show as well. */
import unicode from "@xterm/addon-unicode11";
import headless from "@xterm/headless";
import type { IBufferCell, Terminal } from "@xterm/headless";
import { charWidth } from "../../src/terminal/width";
import type { LogModel, Style } from "../../src/terminal/index";

/** One column: its character (" " when there is none) and, after "|", its style if it has one. */
export type Cell = string;

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** At the end of a row that goes on from the one above it. */
const WRAPPED: Cell = "↩";

/** Rows that the oracle keeps above its screen; no test prints more. */
const SCROLLBACK = 100_000;

/** What the oracle shows: all rows from the first one printed, without empty ones at the end. */
export async function oracleRows(data: Uint8Array, { columns, rows }: Size): Promise<Cell[][]> {
  const terminal = new headless.Terminal({
    cols: columns,
    rows,
    scrollback: SCROLLBACK,
    convertEol: true,
    allowProposedApi: true,
    logLevel: "off",
  });
  terminal.loadAddon(new unicode.Unicode11Addon());
  terminal.unicode.activeVersion = "11";
  // the oracle leaves invalid bytes out, so it gets them as the characters that stand for them
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(data);
  await new Promise<void>((resolve) => terminal.write(text, resolve));
  const shown = readRows(terminal, columns);
  terminal.dispose();
  return withoutEmptyEnd(shown, columns);
}

function readRows(terminal: Terminal, columns: number): Cell[][] {
  const buffer = terminal.buffer.active;
  const shown: Cell[][] = [];
  for (let y = 0; y < buffer.length; y++) {
    const row: Cell[] = [];
    const line = buffer.getLine(y);
    for (let x = 0; line && x < columns; x++) {
      const cell = line.getCell(x);
      if (!cell) continue;
      const afterWide = x > 0 && line.getCell(x - 1)?.getWidth() === 2;
      row.push(afterWide ? "" : (cell.getChars() || " ") + styleMark(oracleStyle(cell)));
    }
    if (line?.isWrapped) row.push(WRAPPED);
    shown.push(row);
  }
  return shown;
}

function oracleStyle(cell: IBufferCell): Style {
  const colour = (isDefault: boolean, isRgb: boolean, value: number): number | null =>
    isDefault ? null : isRgb ? 0x1000000 | value : value;
  return {
    fg: colour(cell.isFgDefault(), cell.isFgRGB(), cell.getFgColor()),
    bg: colour(cell.isBgDefault(), cell.isBgRGB(), cell.getBgColor()),
    bold: cell.isBold() !== 0,
    dim: cell.isDim() !== 0,
    italic: cell.isItalic() !== 0,
    underline: cell.isUnderline() !== 0,
    inverse: cell.isInverse() !== 0,
    strike: cell.isStrikethrough() !== 0,
    hidden: cell.isInvisible() !== 0,
  };
}

function styleMark(style: Style): string {
  const flags = (["bold", "dim", "italic", "underline", "inverse", "strike", "hidden"] as const).filter(
    (name) => style[name],
  );
  if (style.fg === null && style.bg === null && flags.length === 0) return "";
  return `|${[style.fg ?? "", style.bg ?? "", ...flags].join(",")}`;
}

/** What a model shows, in the oracle's form; `columns` must hold its longest line. */
export function modelRows(model: LogModel, columns: number): Cell[][] {
  const shown: Cell[][] = [];
  for (let n = model.firstLine; n < model.endLine; n++) {
    const { text, spans, fill, wrapped } = model.line(n);
    const row: Cell[] = [];
    let at = 0;
    for (const char of text) {
      const style = spans.find(({ start, end }) => start <= at && at < end)?.style ?? 0;
      at += char.length;
      const width = charWidth(char.codePointAt(0) as number);
      if (width === 0 && row.length > 0) {
        const base = row.at(-1) === "" ? row.length - 2 : row.length - 1;
        row[base] = joined(row[base] as string, char);
        continue;
      }
      row.push(char + styleMark(model.styleOf(style)));
      if (width === 2) row.push("");
    }
    while (row.length < columns) row.push(` ${styleMark(model.styleOf(fill ?? 0))}`);
    if (wrapped) row.push(WRAPPED);
    shown.push(row);
  }
  return withoutEmptyEnd(shown, columns);
}

function joined(cell: Cell, mark: string): Cell {
  const at = cell.indexOf("|", 1);
  return at < 0 ? cell + mark : cell.slice(0, at) + mark + cell.slice(at);
}

function withoutEmptyEnd(rows: Cell[][], columns: number): Cell[][] {
  const empty = (row: Cell[] | undefined): boolean =>
    row !== undefined && row.length <= columns && row.every((cell) => cell === " ");
  let end = rows.length;
  while (end > 0 && empty(rows[end - 1])) end--;
  return rows.slice(0, end);
}

/** The rows' text without styles, one string a row, without blanks at the end: for reading a failure. */
export function plainText(rows: readonly (readonly Cell[])[]): string[] {
  return rows.map((row) =>
    row
      .map((cell) => cell.replace(/(?<=.)\|.*$/u, ""))
      .join("")
      .trimEnd(),
  );
}
