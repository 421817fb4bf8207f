import type { RoutingKey } from '../ports/index.ts';
import { createPositionTable, isNearer } from '../routing/position-table.ts';
import type { PositionTable } from '../routing/position-table.ts';
import { wordsOf } from '../routing/routing-key.ts';
import type { Position } from '../routing/routing-key.ts';

/** A key that has come to a member. */
export interface Move {
  readonly key: RoutingKey;
  readonly id: string;
}

/** Most members keep no key of a node's: what they need for it is made when they do. */
class Place {
  readonly id: string;
  readonly #bytes: Uint8Array;
  #position: Position | undefined;
  #keys: Set<RoutingKey> | undefined;

  constructor(id: string, bytes: Uint8Array) {
    this.id = id;
    this.#bytes = bytes;
  }

  get position(): Position {
    this.#position ??= wordsOf(this.#bytes);
    return this.#position;
  }

  get keys(): ReadonlySet<RoutingKey> {
    return this.#keys ?? noKeys;
  }

  add(key: RoutingKey): void {
    this.#keys ??= new Set();
    this.#keys.add(key);
  }

  remove(key: RoutingKey): void {
    this.#keys?.delete(key);
  }
}

interface PlacedKey {
  readonly position: Position;
  /** Nearest first, at most `replicas`. */
  places: Place[];
}

const noKeys: ReadonlySet<RoutingKey> = new Set();

/**
 * Which members are the nearest `replicas` of each key, kept as both come and go. A member's coming costs one comparison a key, its going a scan of
 * the members for each key that it had: no change costs keys x members.
 */
export class Placement {
  readonly #replicas: number;
  readonly #table: PositionTable<Place> = createPositionTable();
  readonly #places = new Map<string, Place>();
  readonly #keys = new Map<RoutingKey, PlacedKey>();

  constructor(replicas: number) {
    this.#replicas = replicas;
  }

  /** The keys that it is now near to are its `keysOf`; those that it displaced elsewhere are no longer there. */
  addMember(id: string, position: Uint8Array): void {
    if (this.#places.has(id)) return;
    const place = new Place(id, position);
    this.#places.set(id, place);
    this.#table.add(place, position);
    for (const [key, placed] of this.#keys) {
      const { places, position: target } = placed;
      const last = places[places.length - 1];
      const isFull = places.length === this.#replicas;
      if (isFull && last !== undefined && !isNearer(target, place.position, last.position)) continue;
      const at = places.findIndex((other) => isNearer(target, place.position, other.position));
      places.splice(at < 0 ? places.length : at, 0, place);
      place.add(key);
      if (isFull) places.pop()?.remove(key);
    }
  }

  /** Returns where its keys have gone. */
  removeMember(id: string): Move[] {
    const place = this.#places.get(id);
    if (place === undefined) return [];
    this.#places.delete(id);
    this.#table.remove((other) => other === place);
    const moves: Move[] = [];
    for (const key of place.keys) {
      const placed = this.#keys.get(key);
      if (placed === undefined) continue;
      const before = placed.places;
      placed.places = this.#table.nearest(placed.position, this.#replicas);
      for (const next of placed.places) {
        if (before.includes(next)) continue;
        next.add(key);
        moves.push({ key, id: next.id });
      }
    }
    return moves;
  }

  addKey(key: RoutingKey, position: Position): void {
    if (this.#keys.has(key)) return;
    const places = this.#table.nearest(position, this.#replicas);
    for (const place of places) place.add(key);
    this.#keys.set(key, { position, places });
  }

  removeKey(key: RoutingKey): void {
    for (const place of this.#keys.get(key)?.places ?? []) place.remove(key);
    this.#keys.delete(key);
  }

  /** The ids of the members nearest to the key, nearest first. */
  membersOf(key: RoutingKey): readonly string[] {
    return (this.#keys.get(key)?.places ?? []).map(({ id }) => id);
  }

  keysOf(id: string): ReadonlySet<RoutingKey> {
    return this.#places.get(id)?.keys ?? noKeys;
  }
}
