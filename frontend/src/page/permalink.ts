import type { LineRange } from "../log/rows";

/** The run that an address names, or null: `<base>runs/<id>`. */
export function runOfPath(path: string, pageBase: string): string | null {
  const prefix = `${pageBase}runs/`;
  if (!path.startsWith(prefix)) return null;
  const id = decoded(path.slice(prefix.length).replace(/\/$/, ""));
  return id === null || id === "" || id.includes("/") ? null : id;
}

export function pathOfRun(id: string | null, pageBase: string): string {
  return id === null ? pageBase : `${pageBase}runs/${encodeURIComponent(id)}`;
}

/** The lines that an address marks: `#L120` or `#L120-L140`, in either order; null for none. */
export function linesOfHash(hash: string): LineRange | null {
  const found = /^#L(\d{1,15})(?:-L?(\d{1,15}))?$/.exec(hash);
  return found ? rangeOf(Number(found[1]), Number(found[2] ?? found[1])) : null;
}

export function hashOfLines({ first, last }: LineRange): string {
  return first === last ? `#L${first}` : `#L${first}-L${last}`;
}

/** What somebody types: `120`, `120-140`, `L120-L140`; null when it names no line. */
export function linesOfText(text: string): LineRange | null {
  return linesOfHash(`#${text.replace(/[\s,.]/g, "").replace(/^[lL]?/, "L").replace(/[-–:][lL]?/, "-L")}`);
}

/** The lines between two, both included; null when one of them is no line's number. */
export function rangeOf(a: number, b: number): LineRange | null {
  return Math.min(a, b) < 1 ? null : { first: Math.min(a, b), last: Math.max(a, b) };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray % in the address: it names no run.
    return null;
  }
}
