/** Ways to hand bytes to a model. */
import { createLogModel } from "../../src/terminal/index";
import type { Line, LogModel, LogModelOptions } from "../../src/terminal/index";
import type { Random } from "./random";

const encoder = new TextEncoder();

export function bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** A model that was written the data in one piece. */
export function whole(data: Uint8Array | string, options?: LogModelOptions): LogModel {
  return pieces(data, [], options);
}

/** A model that was written the data cut at the given places. */
export function pieces(data: Uint8Array | string, cuts: readonly number[], options?: LogModelOptions): LogModel {
  const all = typeof data === "string" ? bytes(data) : data;
  const model = createLogModel(options);
  let from = 0;
  for (const to of [...cuts, all.length]) {
    model.write(all.subarray(from, to), 1, 0);
    from = to;
  }
  return model;
}

/** Ascending places to cut at, about one every `length` bytes. */
export function randomCuts(random: Random, size: number, length: number): number[] {
  const cuts: number[] = [];
  for (let at = random.below(2 * length); at < size; at += 1 + random.below(2 * length)) cuts.push(at);
  return cuts;
}

export function lines(model: LogModel): Line[] {
  return Array.from({ length: model.endLine - model.firstLine }, (_, i) => model.line(model.firstLine + i));
}

export function texts(model: LogModel): string[] {
  return lines(model).map(({ text }) => text);
}
