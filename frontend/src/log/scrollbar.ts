import { areaHeight, maxScroll, type Extent } from "./geometry";

/** After this much quiet the scrollbar is set to where the reader really is. */
const SETTLE_MS = 200;

/**
 * The browser's scrollbar as an input device: tells by how much the reader moved it, apart from what
 * the window itself or a new size did, and is set to show a place.
 */
export class Scrollbar {
  /** Its position as we know it; a scroll event that finds another was the reader. */
  #top = 0;
  #height = -1;
  #settle: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly scroller: HTMLElement,
    private readonly area: HTMLElement,
    private readonly settled: () => void,
  ) {}

  get top(): number {
    return this.#top;
  }

  /** How many px the reader moved it since it was last asked; 0 when it was not the reader. */
  takeMove(): number {
    const top = this.scroller.scrollTop;
    const px = top - this.#top;
    if (Math.abs(px) < 1) return 0;
    this.#top = top;
    clearTimeout(this.#settle);
    this.#settle = setTimeout(this.settled, SETTLE_MS);
    return px;
  }

  /** The browser moved it to fit a new size: nobody's wish. */
  accept(): void {
    this.#top = this.scroller.scrollTop;
  }

  /** Whether it has no way left in one direction. */
  isAtEdge(extent: Extent): boolean {
    return this.#top <= 0 || this.#top >= maxScroll(extent) - 1;
  }

  fit(extent: Extent): void {
    const height = areaHeight(extent);
    if (height === this.#height) return;
    const shrinks = height < this.#height;
    this.#height = height;
    this.area.style.height = `${height}px`;
    if (shrinks) this.accept();
  }

  moveTo(top: number): void {
    if (Math.abs(top - this.#top) < 1) return;
    this.scroller.scrollTop = top;
    this.#top = top;
  }

  dispose(): void {
    clearTimeout(this.#settle);
  }
}
