/** The terminal model: `createLogModel` and the types of its seam. */
export { createLogModel, createStyles, DEFAULT_TAIL_ROWS } from "./model";
export type * from "./types";
