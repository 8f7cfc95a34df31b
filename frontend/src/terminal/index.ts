/** The terminal model: `createLogModel` and the types of its seam. */
export { createLogModel, DEFAULT_MAX_BYTES, DEFAULT_MAX_LINES, DEFAULT_TAIL_ROWS } from "./model";
export type * from "./types";
