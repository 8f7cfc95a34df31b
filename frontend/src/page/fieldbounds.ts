/** The bounds of a parameter: checked before anything is sent, and told beside its field. */
import { FieldError } from "./fielderror";
import { counted, formatCount } from "./format";
import type { Bounds, Field } from "./parameters";

/** Throws FieldError. */
export function checkNumber(field: Field, text: string): number {
  const value = Number(text);
  const isWhole = field.kind === "integer";
  const fits = isWhole ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (!fits) throw new FieldError(field.name, `"${text}" is not a ${isWhole ? "whole number" : "number"}.`);
  const { minimum, maximum, above, below, multipleOf } = field.bounds;
  const isOutside =
    (minimum !== null && value < minimum) ||
    (maximum !== null && value > maximum) ||
    (above !== null && value <= above) ||
    (below !== null && value >= below);
  if (isOutside) throw new FieldError(field.name, `Must be ${rangeText(field.bounds)}, not ${text}.`);
  if (multipleOf !== null && !isMultiple(value, multipleOf)) {
    throw new FieldError(field.name, `Must be a multiple of ${multipleOf}, not ${text}.`);
  }
  return value;
}

/** Throws FieldError. Lengths are in characters, as Python counts them. */
export function checkText(field: Field, text: string): string {
  const { minLength, maxLength, pattern } = field.bounds;
  const length = minLength === null && maxLength === null ? 0 : [...text].length;
  if (minLength !== null && length < minLength) {
    const told = text === "" ? "Please give a value." : `At least ${counted(minLength, "character")}.`;
    throw new FieldError(field.name, told);
  }
  if (maxLength !== null && length > maxLength) {
    throw new FieldError(field.name, `At most ${counted(maxLength, "character")}; these are ${formatCount(length)}.`);
  }
  if (pattern !== null && expression(pattern)?.test(text) === false) {
    throw new FieldError(field.name, `This does not match the pattern ${pattern}`);
  }
  return text;
}

/** What the server cannot mask: shorter ones stand in ordinary text too often. In characters. */
const LEAST_MASKED = 8;

/** What is to be known of a text while it is typed in, though it is taken; empty if there is nothing. */
export function warningOf(field: Field, text: string): string {
  const length = [...text].length;
  if (field.kind !== "secret" || length === 0 || length >= LEAST_MASKED) return "";
  return `Shorter than ${LEAST_MASKED} characters, it is not masked in the output, should the run print it.`;
}

/** Throws FieldError. */
export function checkItems(field: Field, items: readonly unknown[]): void {
  const { minItems, maxItems } = field.bounds;
  if (minItems !== null && items.length < minItems) {
    throw new FieldError(field.name, `At least ${counted(minItems, "item")}.`);
  }
  if (maxItems !== null && items.length > maxItems) {
    throw new FieldError(field.name, `At most ${counted(maxItems, "item")}; these are ${formatCount(items.length)}.`);
  }
  if (field.unique && new Set(items.map((item) => JSON.stringify(item))).size < items.length) {
    throw new FieldError(field.name, "No two may be the same.");
  }
}

/** The bounds in words, as a hint; empty where there are none worth telling. */
export function boundsText(field: Field): string {
  const { bounds, item } = field;
  switch (field.kind) {
    case "integer":
    case "number": {
      const step = bounds.multipleOf === null ? "" : `a multiple of ${bounds.multipleOf}`;
      return joined([rangeText(bounds), step]);
    }
    case "upload":
      return bounds.maxBytes === null ? "" : `up to ${binarySize(bounds.maxBytes)}`;
    case "list": {
      const each = item ? boundsText(item) : "";
      return joined([span(bounds.minItems, bounds.maxItems, "item"), each === "" ? "" : `each ${each}`]);
    }
    default: {
      // That something must be given is told where it is missing.
      const least = bounds.minLength === 1 ? null : bounds.minLength;
      return span(least, bounds.maxLength, "character");
    }
  }
}

/** `1 to 10`, `at least 1`, `more than 0 and at most 1`. */
function rangeText({ minimum, maximum, above, below }: Bounds): string {
  if (minimum !== null && maximum !== null) return `${formatNumber(minimum)} to ${formatNumber(maximum)}`;
  const least = minimum !== null ? `at least ${formatNumber(minimum)}` : "";
  const most = maximum !== null ? `at most ${formatNumber(maximum)}` : "";
  const parts = [
    above !== null ? `more than ${formatNumber(above)}` : least,
    below !== null ? `less than ${formatNumber(below)}` : most,
  ];
  return parts.filter((part) => part !== "").join(" and ");
}

function span(least: number | null, most: number | null, unit: string): string {
  if (least === null && most === null) return "";
  if (most === null) return `at least ${counted(least ?? 0, unit)}`;
  if (least === null || least === 0) return `up to ${counted(most, unit)}`;
  return least === most ? counted(least, unit) : `${formatCount(least)} to ${counted(most, unit)}`;
}

/** `100 MiB`, `512 KiB`: bounds are given in powers of two. */
export function binarySize(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${formatNumber(Math.round(value * 10) / 10)} ${units[unit]}`;
}

const numbers = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 15 });

function formatNumber(value: number): string {
  return numbers.format(value);
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(", ");
}

/** Floats: 0.3 is a multiple of 0.1. */
function isMultiple(value: number, step: number): boolean {
  const times = value / step;
  return Math.abs(times - Math.round(times)) < 1e-9 * Math.max(1, Math.abs(times));
}

/** Python's pattern, where JavaScript understands it as well; the server checks in any case. */
function expression(pattern: string): RegExp | null {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return null;
  }
}
