/** What each control sequence does to the screen, by name: prefix + intermediates + final byte (xterm's ctlseqs). */
import type { Param } from "./csi";
import { applySgr } from "./sgr";
import { REACH } from "./screen";
import type { Screen } from "./screen";
import { PLAIN } from "./style";

type Control = (screen: Screen, params: readonly Param[]) => void;

/** A count or a position from 1: 0 and nothing mean 1. */
function count(params: readonly Param[], at = 0): number {
  return params[at]?.value || 1;
}

/** A choice: nothing means 0. */
function choice(params: readonly Param[]): number {
  return params[0]?.value ?? 0;
}

const position: Control = (screen, params) => {
  screen.toRow(count(params) - 1);
  screen.toColumn(count(params, 1) - 1);
};
const column: Control = (screen, params) => screen.toColumn(count(params) - 1);
const row: Control = (screen, params) => screen.toRow(count(params) - 1);
const up: Control = (screen, params) => screen.move(0, -count(params));
const down: Control = (screen, params) => screen.move(0, count(params));
const right: Control = (screen, params) => screen.move(count(params), 0);
const left: Control = (screen, params) => screen.move(-count(params), 0);

const eraseDisplay: Control = (screen, params) => {
  const style = screen.pen.eraseStyle;
  const what = choice(params);
  if (what === 2 && !screen.mayErase()) return;
  if (what === 0) eraseRight(screen, style);
  if (what === 1) {
    screen.row.erase(0, Math.min(screen.x + 1, screen.columns), style);
    screen.row.wrapped = false;
  }
  const from = what === 0 ? screen.y + 1 : 0;
  // 3, the scrollback, stays: a log forgets nothing because a program says so
  const to = what === 1 ? screen.y : what === 3 ? 0 : screen.height;
  for (let y = from; y < to; y++) {
    const target = screen.rows.at(y) ?? (screen.blankFill() ? screen.rows.reach(y) : undefined);
    target?.erase(0, Infinity, style);
    if (target) target.wrapped = false;
  }
};

function eraseRight(screen: Screen, style: number): void {
  if (screen.x < screen.columns) screen.row.erase(screen.x, Infinity, style);
  if (screen.x === 0) screen.row.wrapped = false;
}

const eraseLine: Control = (screen, params) => {
  const style = screen.pen.eraseStyle;
  const what = choice(params);
  if (what === 0) eraseRight(screen, style);
  if (what === 1) screen.row.erase(0, Math.min(screen.x + 1, screen.columns), style);
  if (what === 2) {
    screen.row.erase(0, Infinity, style);
    screen.row.wrapped = false;
  }
};

const eraseChars: Control = (screen, params) => {
  screen.move(0, 0);
  const end = Math.min(screen.x + count(params), screen.edge);
  screen.row.erase(screen.x, end, screen.pen.eraseStyle);
};

const insertChars: Control = (screen, params) => {
  screen.move(0, 0);
  screen.row.insert(screen.x, Math.min(count(params), screen.edge), screen.pen.eraseStyle, screen.columns);
};

const removeChars: Control = (screen, params) => {
  screen.move(0, 0);
  const edge = screen.isLog ? Infinity : screen.columns;
  screen.row.remove(screen.x, count(params), screen.pen.eraseStyle, edge);
};

const insertRows: Control = (screen, params) => {
  screen.move(0, 0);
  if (screen.y < screen.top || screen.y > screen.bottom) return;
  screen.rows.insert(screen.y, count(params), screen.bottom, screen.blankFill());
  screen.x = 0;
};

const removeRows: Control = (screen, params) => {
  screen.move(0, 0);
  if (screen.y < screen.top || screen.y > screen.bottom) return;
  screen.rows.remove(screen.y, count(params), screen.bottom, screen.blankFill());
  screen.x = 0;
};

/** More repetitions than this fill no line that anybody reads; without a bound one sequence fills the memory. */
const repeat: Control = (screen, params) => {
  const last = /(\P{M}\p{M}*)$/u.exec(screen.lastRun)?.[1];
  if (!last) return;
  const run = last.repeat(Math.min(count(params), REACH));
  let bits = 0;
  for (let i = 0; i < last.length; i++) bits |= last.charCodeAt(i);
  screen.print(run, bits);
};

const region: Control = (screen, params) => {
  const top = count(params);
  const wanted = params[1]?.value ?? 0;
  const bottom = wanted === 0 || wanted > screen.height ? screen.height : wanted;
  if (bottom <= top) return;
  screen.top = top - 1;
  screen.bottom = bottom - 1;
  screen.toRow(0);
  screen.toColumn(0);
};

const tabs: Control = (screen, params) => {
  for (let i = Math.min(count(params), REACH); i > 0; i--) screen.tab();
};

const tabsBack: Control = (screen, params) => {
  for (let i = Math.min(count(params), REACH); i > 0; i--) screen.tabBack();
};

/** The alternate screen: its pages stay readable in the log, below what was there and above what comes. */
const ALTERNATE: ReadonlySet<number> = new Set([47, 1047, 1049]);

const setPrivateMode: Control = (screen, params) => {
  if (!params.some(({ value }) => ALTERNATE.has(value))) return;
  screen.saveCursor();
  screen.beginPage();
};

const resetPrivateMode: Control = (screen, params) => {
  if (!params.some(({ value }) => ALTERNATE.has(value))) return;
  screen.restoreCursor();
  screen.freezeAll();
  screen.x = 0;
};

const softReset: Control = (screen) => {
  screen.top = 0;
  screen.bottom = screen.height - 1;
  screen.pen.reset();
};

export const CONTROLS: ReadonlyMap<string, Control> = new Map<string, Control>([
  ["m", (screen, params) => applySgr(screen.pen, params)],
  ["A", up], ["B", down], ["C", right], ["D", left], ["a", right], ["e", down],
  ["E", (screen, params) => { down(screen, params); screen.x = 0; }],
  ["F", (screen, params) => { up(screen, params); screen.x = 0; }],
  ["G", column], ["`", column], ["d", row], ["H", position], ["f", position],
  ["J", eraseDisplay], ["?J", eraseDisplay], ["K", eraseLine], ["?K", eraseLine],
  ["X", eraseChars], ["@", insertChars], ["P", removeChars], ["L", insertRows], ["M", removeRows],
  ["S", (screen, params) => screen.rows.remove(screen.top, count(params), screen.bottom, screen.blankFill())],
  ["T", (screen, params) => screen.rows.insert(screen.top, count(params), screen.bottom, PLAIN)],
  ["b", repeat], ["r", region], ["I", tabs], ["Z", tabsBack],
  ["s", (screen) => screen.saveCursor()], ["u", (screen) => screen.restoreCursor()],
  ["?h", setPrivateMode], ["?l", resetPrivateMode], ["!p", softReset],
]);

/** Escape sequences of one final byte. */
export const ESCAPES: ReadonlyMap<string, (screen: Screen) => void> = new Map<string, (screen: Screen) => void>([
  ["7", (screen) => screen.saveCursor()],
  ["8", (screen) => screen.restoreCursor()],
  ["D", (screen) => screen.index()],
  ["E", (screen) => { screen.x = 0; screen.index(); }],
  ["M", (screen) => screen.reverseIndex()],
  ["c", (screen) => {
    screen.pen.reset();
    eraseDisplay(screen, [{ value: 2, subs: null }]);
    screen.reset();
  }],
]);
