/** How a field of what the server sent is read. Every reader throws RequestError("malformed") and names what was wrong. */
import { LocalError, RequestError } from "./protocol";

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function malformed(what: string, value: unknown): RequestError {
  const shown = typeof value === "string" ? `"${value.slice(0, 40)}"` : typeof value;
  return new RequestError(LocalError.malformed, `The server sent an unexpected ${what}: ${shown}.`);
}

export function fields(value: unknown, what: string): Fields {
  if (!isFields(value)) throw malformed(what, value);
  return value;
}

export function text(from: Fields, key: string): string {
  const value = from[key];
  if (typeof value !== "string") throw malformed(key, value);
  return value;
}

export function textOr(from: Fields, key: string, otherwise: string): string {
  const value = from[key];
  return value === undefined || value === null ? otherwise : text(from, key);
}

export function count(from: Fields, key: string): number {
  const value = from[key];
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) throw malformed(key, value);
  return value;
}

export function countOr<T>(from: Fields, key: string, otherwise: T): number | T {
  const value = from[key];
  return value === undefined || value === null ? otherwise : count(from, key);
}

export function flag(from: Fields, key: string): boolean {
  const value = from[key];
  if (value === undefined || value === null) return false;
  if (typeof value !== "boolean") throw malformed(key, value);
  return value;
}

export function moment(from: Fields, key: string): number | null {
  const value = from[key];
  if (value === undefined || value === null) return null;
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw malformed(key, value);
  return ms;
}

export function list(from: Fields, key: string): readonly unknown[] {
  const value = from[key];
  if (!Array.isArray(value)) throw malformed(key, value);
  return value;
}

/** A finite number, which may be negative; null where there is none. */
export function numberOrNull(from: Fields, key: string): number | null {
  const value = from[key];
  if (value === undefined || value === null) return null;
  if (typeof value !== "number" || !Number.isFinite(value)) throw malformed(key, value);
  return value;
}
