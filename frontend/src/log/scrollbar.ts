import { areaHeight, maxScroll, type Extent } from "./geometry";

/** After this much quiet the scrollbar is set to where the reader really is. */
const SETTLE_MS = 200;
/** A wheel or finger moves on (smoothly, by momentum) for as long as scroll events follow this close. */
const CHAIN_MS = 250;

/** The reader's move: by wheel or finger it is px of text, by the scrollbar's thumb a way to a place. */
export interface Move {
  readonly px: number;
  readonly isByPx: boolean;
}

/**
 * The browser's scrollbar as an input device: tells by how much the reader moved it, apart from what
 * the window itself or a new size did, and is set to show a place.
 */
export class Scrollbar {
  /** Its position as we know it; a scroll event that finds another was the reader. */
  #top = 0;
  #height = -1;
  #byPxAt = Number.NEGATIVE_INFINITY;
  #settle: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly scroller: HTMLElement,
    private readonly area: HTMLElement,
    private readonly settled: () => void,
  ) {}

  get top(): number {
    return this.#top;
  }

  /** A wheel turned, or a finger moved. */
  movesByPx(): void {
    this.#byPxAt = performance.now();
  }

  /** How the reader moved it since it was last asked; null when it was not the reader. */
  takeMove(): Move | null {
    const top = this.scroller.scrollTop;
    const px = top - this.#top;
    if (Math.abs(px) < 1) return null;
    this.#top = top;
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => {
      this.#settle = undefined;
      this.settled();
    }, SETTLE_MS);
    const isByPx = performance.now() - this.#byPxAt < CHAIN_MS;
    if (isByPx) this.movesByPx();
    return { px, isByPx };
  }

  /** The browser moved it to fit a new size: nobody's wish. */
  accept(): void {
    this.#top = this.scroller.scrollTop;
  }

  /** Nobody is moving it: it may be set to show where the reader is. */
  get isIdle(): boolean {
    return this.#settle === undefined;
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
