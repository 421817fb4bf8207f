/** What goes wrong with a question to the cluster's DNS. */
export type NamesFault =
  /** No answer. */
  | { readonly kind: 'fail' }
  /** What was true so long ago. */
  | { readonly kind: 'lag'; readonly lagUs: number }
  /** Only so many of the entries. */
  | { readonly kind: 'truncate'; readonly entriesMax: number };

/** The headless service's name: which pods there are. Not whether they are well: it publishes those that are not ready. */
export class NameService {
  readonly #changes: { readonly atUs: number; readonly id: string; readonly isListed: boolean }[] = [];
  readonly #rules = new Set<(askerId: string) => NamesFault | undefined>();

  list(id: string, atUs: number): void {
    this.#changes.push({ atUs, id, isListed: true });
  }

  unlist(id: string, atUs: number): void {
    this.#changes.push({ atUs, id, isListed: false });
  }

  /** Of those that there are now only these are ever told. */
  limit(ids: { has(id: string): boolean }): void {
    const kept = this.#changes.filter(({ id }) => ids.has(id));
    this.#changes.splice(0, this.#changes.length, ...kept);
  }

  rule(rule: (askerId: string) => NamesFault | undefined): () => void {
    this.#rules.add(rule);
    return () => void this.#rules.delete(rule);
  }

  /** The ids behind the addresses, as they came; undefined when there is no answer. */
  resolve(askerId: string, nowUs: number): readonly string[] | undefined {
    const fault = this.#faultOf(askerId);
    if (fault?.kind === 'fail') return undefined;
    const asOfUs = fault?.kind === 'lag' ? nowUs - fault.lagUs : nowUs;
    const listed = new Set<string>();
    for (const { atUs, id, isListed } of this.#changes) {
      if (atUs > asOfUs) break;
      if (isListed) listed.add(id);
      else listed.delete(id);
    }
    const ids = [...listed];
    return fault?.kind === 'truncate' ? ids.slice(0, fault.entriesMax) : ids;
  }

  #faultOf(askerId: string): NamesFault | undefined {
    for (const rule of this.#rules) {
      const fault = rule(askerId);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
}
