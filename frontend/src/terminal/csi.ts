/** The body of a control sequence: prefix, parameters with sub-parameters, intermediates (ECMA-48 5.4). */

export interface Param {
  /** 0 when empty. */
  readonly value: number;
  /** What follows after colons; null without any. */
  readonly subs: readonly number[] | null;
}

export interface Sequence {
  /** Prefix + intermediates + final byte, e.g. "m", "?h", "!p": what the sequence does. */
  readonly name: string;
  /** At least one. */
  readonly params: readonly Param[];
}

/** Parameters that are read, as in xterm; a longer list is cut. */
export const MAX_PARAMS = 32;
/** Largest parameter; more is clamped, as in xterm. */
const MAX_VALUE = 0x7fffffff;

const FORM = /^([<=>?]?)([0-9:;]*)([ -/]*)$/;

/** Null when the body has no valid form: such a sequence is ignored. */
export function parseSequence(body: string, final: string): Sequence | null {
  const form = FORM.exec(body);
  if (!form) return null;
  const [, prefix = "", list = "", intermediates = ""] = form;
  return { name: prefix + intermediates + final, params: parseParams(list) };
}

function parseParams(list: string): Param[] {
  return list.split(";", MAX_PARAMS).map((item) => {
    const [value = "", ...subs] = item.split(":", MAX_PARAMS);
    return { value: number(value), subs: subs.length ? subs.map(number) : null };
  });
}

function number(digits: string): number {
  return digits === "" ? 0 : Math.min(Number(digits), MAX_VALUE);
}
