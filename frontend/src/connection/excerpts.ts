import type { Connection } from "./client";
import { ClientEvent, type Excerpt } from "./protocol";
import { readExcerpt } from "./reading";

/** Reads pieces of a run's output, wherever they are; what is being followed is not touched. */
export class Excerpts {
  constructor(
    private readonly connection: Connection,
    private readonly runId: string,
  ) {}

  /** About `bytes` of output from a byte or the beginning of a line on. Throws RequestError. */
  async read(from: { readonly offset: number } | { readonly line: number }, bytes: number): Promise<Excerpt["items"]> {
    return (await this.#ask(from, bytes)).items;
  }

  /** Where the output ends just now, in bytes; `reached` is a place in it. Throws RequestError. */
  async end(reached: number): Promise<number> {
    return (await this.#ask({ offset: reached }, 1)).end;
  }

  async #ask(from: object, bytes: number): Promise<Excerpt> {
    return readExcerpt(await this.connection.request(ClientEvent.read, { run: this.runId, ...from, bytes }));
  }
}
