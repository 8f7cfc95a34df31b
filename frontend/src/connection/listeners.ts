/** Undoes a registration; calling it twice is harmless. */
export type Dispose = () => void;

/** A list of callbacks for one kind of event; whoever adds one gets the function that removes it. */
export class Listeners<T> {
  readonly #callbacks = new Set<(value: T) => void>();

  add(callback: (value: T) => void): Dispose {
    this.#callbacks.add(callback);
    return () => {
      this.#callbacks.delete(callback);
    };
  }

  emit(value: T): void {
    for (const callback of [...this.#callbacks]) callback(value);
  }
}
