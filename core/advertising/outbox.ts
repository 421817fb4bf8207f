import { endWithin, openScope } from '../abort.ts';
import type { Scope } from '../abort.ts';
import { errorCodeOf, PeiliError, reasonOf } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type {
  Clock,
  Member,
  Membership,
  MembershipChange,
  Observer,
  Probe,
  Random,
  Records,
  RoutingKey,
} from '../ports/index.ts';
import type { Reachability } from '../routing/reachability.ts';
import type { Position } from '../routing/routing-key.ts';
import { Dialogue } from './dialogue.ts';
import type { Holding } from './holdings.ts';
import { Placement } from './placement.ts';
import type { Move } from './placement.ts';
import { changeStatement, completeStatement, isEmpty, partsOf } from './statement.ts';
import type { Statement } from './statement.ts';
import { Turns } from './turns.ts';

export interface OutboxDeps {
  readonly clock: Clock;
  readonly membership: Membership;
  readonly records: Records;
  readonly random: Random;
  readonly observer: Observer;
  readonly reachability: Reachability;
  readonly probe: Probe;
}

export interface OutboxOptions {
  readonly limits: Limits;
  readonly freeSlots: () => number;
}

export interface OutboxState {
  readonly membersTold: number;
  readonly membersFailing: number;
}

/**
 * Says to each member what it is to keep of this node's holdings. Nothing is queued but which keys changed for whom: what is sent is what is true when
 * it is sent, so a member that cannot be reached costs no memory.
 */
export class Outbox {
  readonly #deps: OutboxDeps;
  readonly #options: OutboxOptions;
  readonly #holdings: ReadonlyMap<RoutingKey, Holding>;
  readonly #dialogues = new Map<string, Dialogue>();
  /** Both kinds keep every key: Spegel members ask Spegel's, which know nothing of withdrawals. */
  readonly #placements: Readonly<Record<Member['kind'], Placement>>;
  readonly #turns: Turns;
  readonly #disposers: (() => void)[] = [];
  #sequence = 0;

  constructor(deps: OutboxDeps, options: OutboxOptions, holdings: ReadonlyMap<RoutingKey, Holding>) {
    const { limits } = options;
    this.#deps = deps;
    this.#options = options;
    this.#holdings = holdings;
    this.#placements = {
      peili: new Placement(limits.routingReplicas),
      spegel: new Placement(limits.routingReplicas),
    };
    this.#turns = new Turns(deps.clock, limits.sendsAtOnceMax, this.#dialogues, (dialogue) => this.#speak(dialogue));
  }

  /** Takes the members in, before the first keys: a key is placed by one scan of them, a member by one look at every key. */
  place(): void {
    const { membership } = this.#deps;
    this.#placements.peili.addMember(membership.self.id, membership.self.position);
    for (const member of membership.members()) this.#admit(member);
  }

  /** Begins to speak: only when the holdings are known, since the first thing said to everybody is said to be everything. */
  open(): void {
    const { membership, reachability } = this.#deps;
    for (const dialogue of this.#dialogues.values()) this.#turns.add(dialogue);
    this.#disposers.push(
      membership.watch((change) => {
        this.#onMembership(change);
      }),
      reachability.onRecovery((id) => {
        const dialogue = this.#dialogues.get(id);
        if (dialogue !== undefined) dialogue.retryAtUs = 0;
        this.#rouse(id);
      }),
    );
  }

  /** Notes that a key has come, or means something else; `position` is where it lies. Spoken of at the next `flush`. */
  set(key: RoutingKey, position: Position, isNew: boolean): void {
    for (const placement of Object.values(this.#placements)) {
      placement.addKey(key, position);
      for (const id of placement.membersOf(key)) this.#dialogues.get(id)?.change(key);
    }
    if (!isNew) this.#markTold(key);
  }

  remove(key: RoutingKey): void {
    for (const placement of Object.values(this.#placements)) placement.removeKey(key);
    this.#markTold(key);
  }

  flush(): void {
    for (const dialogue of this.#dialogues.values()) {
      if (dialogue.hasChanged) this.#turns.add(dialogue);
    }
  }

  state(): OutboxState {
    let membersTold = 0;
    let membersFailing = 0;
    for (const { told, isAway } of this.#dialogues.values()) {
      if (told !== undefined) membersTold += 1;
      if (isAway) membersFailing += 1;
    }
    return { membersTold, membersFailing };
  }

  /** Tells everybody who was told anything that it is all void, `sendsAtOnceMax` at once. Says nothing more afterwards. */
  async withdrawAll(signal: AbortSignal): Promise<void> {
    this.#close();
    // A statement in several parts must not go on behind the withdrawal.
    for (const dialogue of this.#dialogues.values()) dialogue.end();
    const waiting = [...this.#dialogues.values()].filter(({ member, told, isAway }) => {
      return member.kind === 'peili' && !isAway && told !== undefined && told.size > 0;
    });
    const work = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined && !signal.aborted; next = waiting.pop()) {
        await this.#send(next.member, withdrawal, openScope(signal)).catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: this.#options.limits.sendsAtOnceMax }, work));
  }

  dispose(): void {
    this.#close();
    for (const dialogue of this.#dialogues.values()) dialogue.end();
    this.#dialogues.clear();
  }

  #close(): void {
    for (const disposer of this.#disposers.splice(0)) disposer();
    this.#turns.dispose();
  }

  #markTold(key: RoutingKey): void {
    for (const dialogue of this.#dialogues.values()) if (dialogue.told?.has(key) === true) dialogue.change(key);
  }

  #onMembership(change: MembershipChange): void {
    if (change.type === 'left') {
      this.#leave(change.id);
      return;
    }
    const { member } = change;
    const known = this.#dialogues.get(member.id);
    if (known === undefined || known.member.kind !== member.kind) {
      this.#leave(member.id);
      this.#admit(member);
      this.#rouse(member.id);
      return;
    }
    const hasRestarted = change.type === 'restarted' || member.incarnation > known.member.incarnation;
    known.member = member;
    if (hasRestarted) {
      known.forget();
      known.failures = 0;
      this.#revive(known);
    } else if (known.isAway && member.connected) {
      known.retryAtUs = 0;
    }
    this.#turns.add(known);
  }

  #admit(member: Member): void {
    if (member.id === this.#deps.membership.self.id) return;
    this.#dialogues.set(member.id, new Dialogue(member));
    this.#placements[member.kind].addMember(member.id, member.position);
  }

  #rouse(id: string): void {
    const dialogue = this.#dialogues.get(id);
    if (dialogue !== undefined) this.#turns.add(dialogue);
  }

  #leave(id: string): void {
    const dialogue = this.#dialogues.get(id);
    if (dialogue === undefined) return;
    this.#dialogues.delete(id);
    this.#turns.remove(dialogue);
    dialogue.end();
    this.#move(this.#placements[dialogue.member.kind].removeMember(id));
  }

  #revive(dialogue: Dialogue): void {
    dialogue.isAway = false;
    const { kind, id, position } = dialogue.member;
    this.#placements[kind].addMember(id, position);
  }

  #move(moves: readonly Move[]): void {
    for (const { key, id } of moves) {
      const dialogue = this.#dialogues.get(id);
      if (dialogue === undefined || dialogue.told?.has(key) === true) continue;
      dialogue.change(key);
      this.#turns.add(dialogue);
    }
  }

  /** One turn of one member. Never rejects. */
  async #speak(dialogue: Dialogue): Promise<void> {
    const isProbe = dialogue.isAway;
    try {
      const parts = this.#nextParts(dialogue);
      for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
        try {
          await this.#send(dialogue.member, part, dialogue.open());
        } catch (error) {
          this.#forgive(dialogue, error);
        }
        if (dialogue.isOver) return;
      }
      if (isProbe) this.#revive(dialogue);
      else dialogue.failures = 0;
      this.#deps.reachability.heard(dialogue.member.id);
    } catch (error) {
      if (dialogue.isOver) return;
      // Noted as told before the send and forgotten since: the member has begun anew meanwhile, and is told everything next.
      if (!dialogue.isAway && dialogue.told === undefined) return;
      this.#onFailure(dialogue, error, this.#deps.clock.nowUs());
    } finally {
      dialogue.close();
    }
  }

  /** The member is there and has taken what fits: saying it again would change nothing. Throws any other error. */
  #forgive({ member }: Dialogue, error: unknown): void {
    if (errorCodeOf(error) !== 'QUOTA_EXCEEDED') throw error;
    this.#deps.observer.onNode({ type: 'advertise-failed', member: member.id, reason: reasonOf(error) });
  }

  /** What a member is told now, noted as told before it is sent: if that fails, nothing is known of it at all. */
  #nextParts(dialogue: Dialogue): Statement[] {
    const { clock, probe, random } = this.#deps;
    const { limits } = this.#options;
    const messageMaxBytes = probe.buggify('advertising: a message for each key') ? 1 : limits.recordsMessageMaxBytes;
    const nowUs = clock.nowUs();
    // A member that failed is only asked whether it is there: what it is to keep is kept elsewhere until then.
    if (dialogue.isAway) return [{ complete: false, add: [], withdraw: [] }];
    const keys = this.#placements[dialogue.member.kind].keysOf(dialogue.member.id);
    const { told } = dialogue;
    const changed = dialogue.takeChanged();
    if (told === undefined || dialogue.isCompleteDue(nowUs)) {
      const statement = completeStatement(keys, this.#holdings, clock.wallUs());
      dialogue.beginTold();
      dialogue.noteTold(statement);
      dialogue.planComplete(limits, random, keys.size > 0, nowUs);
      return partsOf(statement, messageMaxBytes);
    }
    const statement = changeStatement(changed, told, keys, this.#holdings, clock.wallUs());
    dialogue.noteTold(statement);
    if (dialogue.completeAtUs === Infinity)
      dialogue.planComplete(limits, random, (dialogue.told?.size ?? 0) > 0, nowUs);
    return isEmpty(statement) ? [] : partsOf(statement, messageMaxBytes);
  }

  #send(member: Member, statement: Statement, scope: Scope): Promise<void> {
    const { clock, membership, records } = this.#deps;
    const { limits, freeSlots } = this.#options;
    this.#sequence += 1;
    const batch = {
      ...statement,
      incarnation: membership.self.incarnation,
      sequence: this.#sequence,
      ttlUs: limits.recordTtlUs,
      freeSlots: freeSlots(),
    };
    return endWithin(scope, clock, limits.recordsSendTimeoutUs, notTaken, (signal) =>
      records.send(member, batch, signal),
    );
  }

  #onFailure(dialogue: Dialogue, error: unknown, nowUs: number): void {
    const { reachability, observer } = this.#deps;
    const { id, kind } = dialogue.member;
    dialogue.fail(this.#options.limits, nowUs);
    reachability.failed(id, nowUs);
    observer.onNode({ type: 'advertise-failed', member: id, reason: reasonOf(error) });
    this.#move(this.#placements[kind].removeMember(id));
  }
}

const withdrawal: Statement = { complete: true, add: [], withdraw: [] };

function notTaken(): PeiliError {
  return new PeiliError('MEMBER_UNREACHABLE', 'a batch was not taken in time');
}
