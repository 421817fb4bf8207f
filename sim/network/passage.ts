import type { FlowNetwork } from './flow-network.ts';
import type { Host } from './host.ts';
import type { Link } from './link.ts';

/** Which packets pass: cables that are in, and nothing between two hosts that drops them. One way at a time. */
export class Passage {
  readonly #cuts = new Set<(from: Host, to: Host) => boolean>();
  readonly #gates = new Map<string, { readonly from: Host; readonly to: Host; readonly link: Link }>();
  #flows: FlowNetwork | undefined;
  #waiting: (() => void)[] = [];

  isOpen(from: Host, to: Host): boolean {
    return from === to || (from.isPlugged && to.isPlugged && !this.isCut(from, to));
  }

  isCut(from: Host, to: Host): boolean {
    if (this.#cuts.size === 0 || from === to) return false;
    for (const isCut of this.#cuts) if (isCut(from, to)) return true;
    return false;
  }

  /** Packets for which it says so are lost, until the returned function is called. */
  cut(isCut: (from: Host, to: Host) => boolean): () => void {
    this.#cuts.add(isCut);
    this.#changed();
    return () => {
      if (!this.#cuts.delete(isCut)) return;
      this.#changed();
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const callback of waiting) callback();
    };
  }

  /** Calls back now or as soon as packets pass: TCP sends again what was lost. */
  whenOpen(from: Host, to: Host, callback: () => void): void {
    if (this.isOpen(from, to)) {
      callback();
      return;
    }
    from.whenPlugged(() => {
      to.whenPlugged(() => {
        if (!this.isCut(from, to)) callback();
        else
          this.#waiting.push(() => {
            this.whenOpen(from, to, callback);
          });
      });
    });
  }

  /** From now on there is a link between each two hosts that carries nothing while packets are lost there: for worlds in which something is cut. */
  setGates(flows: FlowNetwork): void {
    this.#flows = flows;
  }

  /** What stands in the way of bytes from one to the other; undefined: nothing ever will. */
  gateBetween(from: Host, to: Host): Link | undefined {
    const flows = this.#flows;
    if (flows === undefined) return undefined;
    const name = `${from.name}>${to.name}`;
    const known = this.#gates.get(name);
    if (known !== undefined) return known.link;
    const link = flows.addLink(name, this.isCut(from, to) ? 0 : Infinity);
    this.#gates.set(name, { from, to, link });
    return link;
  }

  #changed(): void {
    for (const { from, to, link } of this.#gates.values()) {
      const bytesPerSecond = this.isCut(from, to) ? 0 : Infinity;
      if (link.bytesPerSecond !== bytesPerSecond) this.#flows?.setRate(link, bytesPerSecond);
    }
  }
}
