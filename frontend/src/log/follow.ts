import { moved, type Splice } from "./splice";

export interface FollowState {
  readonly following: boolean;
  /** Lines that came since the reader left the end. */
  readonly newLines: number;
}

/**
 * Whether the window keeps to the end. Decided by where the reader turns, not by how far from the
 * end the view is: in a flood the distance says nothing.
 */
export class Follow {
  #following = true;
  #held = false;
  #leftAtLine = 0;

  get following(): boolean {
    return this.#following;
  }

  /** The view keeps to the end now; not while a mouse button is down in the text. */
  get isStuck(): boolean {
    return this.#following && !this.#held;
  }

  get isHeld(): boolean {
    return this.#held;
  }

  join(): void {
    this.#following = true;
  }

  leave(endLine: number): void {
    if (this.#following) this.#leftAtLine = endLine;
    this.#following = false;
  }

  /** What has come so far is not news. */
  forgetNews(endLine: number): void {
    this.#leftAtLine = endLine;
  }

  hold(held: boolean): void {
    this.#held = held;
  }

  /** Rows have other numbers now. */
  splice(splice: Splice): void {
    this.#leftAtLine = moved(this.#leftAtLine, splice) ?? splice.at + splice.removed;
  }

  state(endLine: number): FollowState {
    const newLines = this.#following ? 0 : Math.max(0, endLine - this.#leftAtLine);
    return { following: this.#following, newLines };
  }
}
