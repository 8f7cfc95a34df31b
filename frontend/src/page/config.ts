/** What the server tells the page in the attributes of its root element; all paths, no origin. */
export interface PageConfig {
  readonly title: string;
  readonly socketPath: string;
  /** Without a slash at its end. */
  readonly apiBase: string;
  /** With a slash at its end. */
  readonly pageBase: string;
  readonly version: string;
  /** What calls that change something carry; empty where the server wants nothing. */
  readonly csrfToken: string;
  /** Who looks at the page, as runs name their user. */
  readonly user: string;
}

export function readConfig(root: HTMLElement): PageConfig {
  const data = root.dataset;
  return {
    title: data["title"] || document.title || "Flask-Realtime",
    socketPath: data["socketPath"] || "/socket.io",
    apiBase: (data["apiBase"] ?? "/api").replace(/\/+$/, ""),
    pageBase: (data["pageBase"] ?? "/").replace(/\/*$/, "/"),
    version: data["version"] ?? "",
    csrfToken: data["csrfToken"] ?? "",
    user: data["user"] ?? "",
  };
}
