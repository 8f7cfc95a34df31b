import type { FollowState } from "../log/follow";
import { button, setText } from "./dom";
import { counted, formatBytes } from "./format";

/** The button over the log that leads to its end: for a reader elsewhere, and for a page that lags behind. */
export class JumpButton {
  readonly element: HTMLButtonElement;
  #follow: FollowState = { following: true, newLines: 0 };
  #behind = 0;

  constructor(jump: () => void) {
    this.element = button("", "log-jump", jump);
    this.#show();
  }

  /** The live end is so far away that one should not wait for all that is between. */
  get isBehind(): boolean {
    return this.#behind > 0;
  }

  showFollow(state: FollowState): void {
    this.#follow = state;
    this.#show();
  }

  /** @param bytes that the page is behind the live end; 0 when that is not worth a word */
  showBehind(bytes: number): void {
    this.#behind = bytes;
    this.#show();
  }

  reset(): void {
    this.#follow = { following: true, newLines: 0 };
    this.#behind = 0;
    this.#show();
  }

  #show(): void {
    const { following, newLines } = this.#follow;
    this.element.hidden = following && !this.isBehind;
    const news = newLines > 0 ? ` · ${counted(newLines, "new line")}` : "";
    setText(this.element, this.isBehind ? `Jump to live · ${formatBytes(this.#behind)} behind` : `Jump to end${news}`);
    this.element.title = this.isBehind ? "What is left out stays a row that can be loaded" : "";
  }
}
