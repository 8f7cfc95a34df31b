import { io, type Socket } from "socket.io-client";

import { Listeners } from "./listeners";
import { LocalError, NOT_LOGGED_IN, RequestError, ServerEvent, type ClientEventName } from "./protocol";
import type { Gap, Notice, Output, Run, ServiceChange } from "./protocol";
import {
  readError,
  readGap,
  readNotice,
  readOutput,
  readRefusal,
  readRunOf,
  readServiceChange,
} from "./reading";

export type ConnectionState =
  | { readonly kind: "connecting" }
  | { readonly kind: "connected" }
  | { readonly kind: "disconnected"; readonly reason: string }
  | { readonly kind: "loggedOut"; readonly reason: string };

/** An `output` event; call `done` when its bytes have been dealt with: that opens the window. */
export interface OutputArrival {
  readonly output: Output;
  readonly done: () => void;
}

const REQUEST_TIMEOUT_MS = 20_000;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 3_000;
/** Wait before asking again whether somebody has logged in, in another tab perhaps. */
const LOGGED_OUT_RETRY_MS = 3_000;
/** Wait before calling again a server that hung up or refused by itself. */
const HUNG_UP_RETRY_MS = 1_000;

/**
 * The one Socket.IO connection of the page. It reconnects for ever; nothing is queued while it is
 * away (a request then fails at once), because what is attached is asked for again by offset.
 */
export class Connection {
  readonly onState = new Listeners<ConnectionState>();
  readonly onOutput = new Listeners<OutputArrival>();
  readonly onGap = new Listeners<Gap>();
  readonly onRun = new Listeners<Run>();
  readonly onNotice = new Listeners<Notice>();
  readonly onService = new Listeners<ServiceChange>();
  /** A message that does not follow the protocol: a fault of the server worth showing. */
  readonly onFault = new Listeners<Error>();

  #state: ConnectionState = { kind: "connecting" };
  readonly #socket: Socket;
  #retry: ReturnType<typeof setTimeout> | undefined;

  /** `path` is the path of the Socket.IO endpoint on the page's own origin. The connection fails
   * when somebody else than `user`, for whom the page was made, has logged in meanwhile. */
  constructor(path: string, user: string) {
    this.#socket = io({
      path,
      auth: user === "" ? {} : { user },
      autoConnect: false,
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      reconnectionDelay: FIRST_RETRY_MS,
      reconnectionDelayMax: LAST_RETRY_MS,
    });
    this.#socket.on("connect", () => this.#change({ kind: "connected" }));
    this.#socket.on("disconnect", (reason: string) => this.#lost(reason));
    this.#socket.on("connect_error", (error: Error & { data?: unknown }) => {
      if (readRefusal(error.data) === NOT_LOGGED_IN) this.#loggedOut(error.message);
      else this.#lost(error.message);
    });
    this.#socket.on(ServerEvent.output, (value: unknown, done?: unknown) =>
      this.#output(value, done),
    );
    this.#socket.on(ServerEvent.gap, (value: unknown) => this.#pass(value, readGap, this.onGap));
    this.#socket.on(ServerEvent.status, (value: unknown) =>
      this.#pass(value, readRunOf, this.onRun),
    );
    this.#socket.on(ServerEvent.notice, (value: unknown) =>
      this.#pass(value, readNotice, this.onNotice),
    );
    this.#socket.on(ServerEvent.service, (value: unknown) =>
      this.#pass(value, readServiceChange, this.onService),
    );
  }

  get state(): ConnectionState {
    return this.#state;
  }

  open(): void {
    this.#socket.connect();
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#socket.disconnect();
  }

  /** Sends an event and gives its acknowledgement. Throws RequestError when the server refuses,
   * does not answer, or is not connected. */
  async request(event: ClientEventName, payload: Readonly<Record<string, unknown>>): Promise<unknown> {
    if (!this.#socket.connected) {
      throw new RequestError(LocalError.disconnected, "The server cannot be reached just now.");
    }
    let answer: unknown;
    try {
      answer = await this.#socket.timeout(REQUEST_TIMEOUT_MS).emitWithAck(event, payload);
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : String(cause);
      throw new RequestError(LocalError.timeout, `No answer to "${event}": ${said}.`);
    }
    const error = readError(answer);
    if (error) throw error;
    return answer;
  }

  #change(state: ConnectionState): void {
    this.#state = state;
    this.onState.emit(state);
  }

  #lost(reason: string): void {
    this.#change({ kind: "disconnected", reason });
    if (this.#socket.active) return;
    // The library retries by itself unless the server hung up on purpose; a restart looks like that.
    clearTimeout(this.#retry);
    if (reason === "io client disconnect") return;
    this.#retry = setTimeout(() => this.#socket.connect(), HUNG_UP_RETRY_MS);
  }

  #loggedOut(reason: string): void {
    this.#change({ kind: "loggedOut", reason });
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#socket.connect(), LOGGED_OUT_RETRY_MS);
  }

  #output(value: unknown, done: unknown): void {
    const acknowledge = typeof done === "function" ? () => void done({}) : () => undefined;
    let output: Output;
    try {
      output = readOutput(value);
    } catch (error) {
      this.#fault(error);
      acknowledge();
      return;
    }
    this.onOutput.emit({ output, done: acknowledge });
  }

  #pass<T>(value: unknown, read: (value: unknown) => T, listeners: Listeners<T>): void {
    let message: T;
    try {
      message = read(value);
    } catch (error) {
      this.#fault(error);
      return;
    }
    listeners.emit(message);
  }

  #fault(error: unknown): void {
    this.onFault.emit(error instanceof Error ? error : new Error(String(error)));
  }
}
