/** Opens once: who waits is called then, who comes later at once. */
export class Gate {
  #isOpen = false;
  readonly #waiting = new Set<() => void>();

  get isOpen(): boolean {
    return this.#isOpen;
  }

  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const callback of waiting) callback();
  }

  /** Returns what ends the waiting. */
  wait(callback: () => void): () => void {
    if (this.#isOpen) {
      callback();
      return () => undefined;
    }
    this.#waiting.add(callback);
    return () => void this.#waiting.delete(callback);
  }
}
