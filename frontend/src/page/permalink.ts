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

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray % in the address: it names no run.
    return null;
  }
}
