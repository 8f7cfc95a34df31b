/** Files on their way to the server, where they wait for the run that takes them. */
import { isFields } from "../connection/fields";
import { ApiError } from "./api";

/** A file that is on the server; `id` is what a parameter names it by. */
export interface Upload {
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
}

/** How far a file is: 0 to 1. */
export type OnProgress = (share: number) => void;

export class Uploads {
  /** Files on the server that no run has taken yet. */
  readonly #waiting = new Set<string>();

  /** `csrfToken` is empty where the server wants none. */
  constructor(
    private readonly apiBase: string,
    private readonly csrfToken: string,
  ) {}

  /** Sends a file. Throws ApiError, and the signal's reason when that is aborted. */
  async send(file: File, onProgress: OnProgress, signal: AbortSignal): Promise<Upload> {
    const upload = await this.#post(file, onProgress, signal);
    this.#waiting.add(upload.id);
    return upload;
  }

  /** Removes a file that no run has taken. Throws ApiError. */
  async remove(id: string): Promise<void> {
    this.#waiting.delete(id);
    const answer = await this.#delete(id, false);
    // It is gone already: that is all that was wanted.
    if (!answer.ok && answer.status !== 404) throw problemOf(answer.status, await answer.text());
  }

  /** A run has taken a file. */
  taken(id: string): void {
    this.#waiting.delete(id);
  }

  /** The page is closed: what waits is removed, or else the server does so after a while. */
  leave(): void {
    for (const id of this.#waiting) void this.#delete(id, true);
    this.#waiting.clear();
  }

  #post(file: File, onProgress: OnProgress, signal: AbortSignal): Promise<Upload> {
    // Not fetch: it does not tell how much has been sent.
    const request = new XMLHttpRequest();
    const { promise, resolve, reject } = settled<Upload>();
    request.open("POST", `${this.apiBase}/uploads?${new URLSearchParams({ name: file.name })}`);
    request.setRequestHeader("accept", "application/json");
    request.setRequestHeader("content-type", "application/octet-stream");
    if (this.csrfToken !== "") request.setRequestHeader("x-csrf-token", this.csrfToken);
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0));
    request.addEventListener("load", () => {
      try {
        resolve(readUpload(request.status, request.responseText));
      } catch (error) {
        reject(error);
      }
    });
    request.addEventListener("error", () => {
      reject(new ApiError("disconnected", "The file could not be sent: the connection broke."));
    });
    request.addEventListener("abort", () => reject(signal.reason));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file);
    return promise;
  }

  #delete(id: string, keepalive: boolean): Promise<Response> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (this.csrfToken !== "") headers["x-csrf-token"] = this.csrfToken;
    return fetch(`${this.apiBase}/uploads/${encodeURIComponent(id)}`, { method: "DELETE", headers, keepalive });
  }
}

/** What the server answered to a file: 201 and where it is, or a problem. Throws ApiError. */
export function readUpload(status: number, text: string): Upload {
  const body = parsed(text);
  if (status < 200 || status > 299) throw problemOf(status, text);
  const { upload, name, bytes } = isFields(body) ? body : {};
  if (typeof upload !== "string" || typeof name !== "string" || typeof bytes !== "number") {
    throw new ApiError("malformed", "The server took the file, but did not say where it is.");
  }
  return { id: upload, name, bytes };
}

function problemOf(status: number, text: string): ApiError {
  const body = parsed(text);
  const { code, detail, title } = isFields(body) ? body : {};
  const said = detail ?? title;
  return new ApiError(
    typeof code === "string" ? code : "",
    typeof said === "string" ? said : `The server answered ${status}.`,
  );
}

/** A proxy in between answers in its own way. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function settled<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: unknown) => void } {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}
