/**
 * Splits decoded text into runs, control characters and sequences: the state machine of vt100.net's "parser for
 * DEC's ANSI-compatible video terminals". What a sequence means is in controls.ts. One parser serves one stream, so
 * that a sequence cut by the other stream's output still ends well.
 */
import { CONTROLS, ESCAPES } from "./controls";
import { parseSequence } from "./csi";
import type { Sequence } from "./csi";
import type { Screen } from "./screen";

const enum State {
  Ground,
  Escape,
  /** After ESC and an intermediate, e.g. a character set's designation. */
  EscapeIntermediate,
  Control,
  /** A device control or application string, which is swallowed; BEL does not end it. */
  Text,
  /** An operating system command, which is swallowed; BEL ends it. */
  Command,
}

const BEL = 0x07, BS = 0x08, HT = 0x09, LF = 0x0a, VT = 0x0b, FF = 0x0c, CR = 0x0d;
const CAN = 0x18, SUB = 0x1a, ESC = 0x1b, DEL = 0x7f;
/** Control characters of eight bits, as U+0080 to U+009F; they come before the first printable one above ASCII. */
const C1 = 0x80, C1_END = 0xa0;
const IND = 0x84, NEL = 0x85, RI = 0x8d, DCS = 0x90, SOS = 0x98, CSI = 0x9b, OSC = 0x9d, PM = 0x9e, APC = 0x9f;

/** UTF-16 units; a longer control sequence is no sequence and is dropped. */
const MAX_SEQUENCE = 1_024;
/** UTF-16 units of a swallowed string; after so many its end has been lost, and what follows is text again. */
export const MAX_STRING = 262_144;
/** Parsed sequences to remember: programs repeat a few, counters in cursor movements make many. */
const MAX_KNOWN = 1_024;

export class Parser {
  #state = State.Ground;
  /** Of a control sequence: what came after CSI so far. */
  #body = "";
  /** Of a string: units swallowed so far. */
  #swallowed = 0;
  readonly #known = new Map<string, Sequence | null>();

  constructor(private readonly screen: Screen) {}

  write(text: string): void {
    const end = text.length;
    for (let at = 0; at < end; ) {
      if (this.#state === State.Ground) at = this.#ground(text, at, end);
      else if (this.#state === State.Control) at = this.#control(text, at, end);
      else if (this.#state === State.Text || this.#state === State.Command) at = this.#string(text, at, end);
      else at = this.#escape(text, at);
    }
  }

  #ground(text: string, start: number, end: number): number {
    let at = start;
    let bits = 0;
    let code = 0;
    for (; at < end; at++) {
      code = text.charCodeAt(at);
      if (code < 0x20 || (code >= DEL && code < C1_END)) break;
      bits |= code;
    }
    if (at > start) this.screen.print(text.slice(start, at), bits);
    if (at === end) return at;
    if (code === LF) {
      this.screen.lastRun = "";
      this.screen.nextLine();
    } else this.#execute(code);
    return at + 1;
  }

  /** A control character, which acts at once also inside a sequence. */
  #execute(code: number): void {
    const { screen } = this;
    if (code !== ESC && code !== CSI) screen.lastRun = "";
    switch (code) {
      case LF: screen.nextLine(); break;
      case VT: case FF: screen.lineFeed(); break;
      case CR: screen.x = 0; break;
      case BS: screen.backspace(); break;
      case HT: screen.tab(); break;
      case ESC: this.#state = State.Escape; break;
      case CAN: case SUB: this.#state = State.Ground; break;
      default: if (code >= C1) this.#executeC1(code);
    }
  }

  #executeC1(code: number): void {
    this.#state = State.Ground;
    switch (code) {
      case IND: this.screen.index(); break;
      case NEL: ESCAPES.get("E")?.(this.screen); break;
      case RI: break; // xterm.js leaves it out, and it is more often a broken encoding than meant
      case DCS: case SOS: case PM: case APC: this.#begin(State.Text); break;
      case CSI: this.#begin(State.Control); break;
      case OSC: this.#begin(State.Command); break;
    }
  }

  #begin(state: State): void {
    this.#state = state;
    this.#body = "";
    this.#swallowed = 0;
  }

  #escape(text: string, at: number): number {
    const code = text.charCodeAt(at);
    if (code < 0x20 || (code >= C1 && code < C1_END)) this.#execute(code);
    else if (code < 0x30) this.#state = State.EscapeIntermediate;
    else if (code !== DEL) {
      const designates = this.#state === State.EscapeIntermediate;
      this.#state = State.Ground;
      if (!designates && code < DEL) this.#escapeFinal(text[at] as string);
    }
    return at + 1;
  }

  #escapeFinal(final: string): void {
    if (final === "[") this.#begin(State.Control);
    else if (final === "]") this.#begin(State.Command);
    else if ("PX^_".includes(final)) this.#begin(State.Text);
    else ESCAPES.get(final)?.(this.screen);
  }

  #control(text: string, start: number, end: number): number {
    let at = start;
    let code = 0;
    for (; at < end; at++) {
      code = text.charCodeAt(at);
      if (code < 0x20 || code >= 0x40) break;
    }
    if (this.#body.length <= MAX_SEQUENCE) this.#body += text.slice(start, at);
    if (at === end) return at;
    if (code >= 0x40 && code < DEL) {
      this.#state = State.Ground;
      this.#dispatch(text[at] as string);
    } else if (code >= C1_END) this.#state = State.Ground;
    else if (code !== DEL) this.#execute(code);
    return at + 1;
  }

  #dispatch(final: string): void {
    if (this.#body.length > MAX_SEQUENCE) return;
    const key = this.#body + final;
    let sequence = this.#known.get(key);
    if (sequence === undefined) {
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(key, (sequence = parseSequence(this.#body, final)));
    }
    if (!sequence) return;
    CONTROLS.get(sequence.name)?.(this.screen, sequence.params);
    this.screen.lastRun = "";
  }

  #string(text: string, start: number, end: number): number {
    const stop = Math.min(end, start + MAX_STRING - this.#swallowed);
    for (let at = start; at < stop; at++) {
      const code = text.charCodeAt(at);
      if (code >= C1_END || (code >= 0x20 && code < C1)) continue;
      if (code === LF) this.screen.rows.number++;
      if (code === BEL && this.#state === State.Command) {
        this.#state = State.Ground;
        return at + 1;
      }
      if (code === ESC || code === CAN || code === SUB || code >= C1) {
        this.#state = State.Ground;
        this.#execute(code);
        return at + 1;
      }
    }
    this.#swallowed += stop - start;
    if (this.#swallowed >= MAX_STRING) this.#state = State.Ground;
    return stop;
  }
}
