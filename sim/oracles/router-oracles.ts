import { routingKeyOf } from '../../core/index.ts';
import type { Holder } from '../../core/index.ts';
import type { Fault } from '../faults/fault.ts';
import type { SimNode, World } from '../run/world.ts';
import { isBorne, isOfFile } from './borne.ts';
import type { OracleFactory } from './oracle.ts';

/** Faults that leave members and their records alone. */
const sparingKinds: ReadonlySet<string> = new Set<Fault['what']['kind']>(['http', 'rate', 'corrupt', 'wall']);

/** What the routers that are up say of a key. */
function* answersAbout(world: World, text: string): Iterable<{ readonly router: SimNode; readonly holder: Holder }> {
  const key = routingKeyOf(world.digester, text);
  for (const router of world.nodes) {
    const life = router.mirror?.party.life;
    const handler = router.mirror?.seat?.handler;
    if (handler === undefined || life === undefined || life.isOver || life.isPaused) continue;
    for (const holder of handler.onLookup(undefined, key).holders) yield { router, holder };
  }
}

function nodeOf({ nodes }: World, { member }: Holder): SimNode | undefined {
  return nodes.find(({ mirror }) => mirror?.seat?.self.id === member.id);
}

/** L13: at the end no router says of a node that it has what it has not had for longer than the reconcile period, nor that a tag means there what it does not. */
export const recordsAreTrue: OracleFactory = ({ scenario, violate, world }) => {
  const { reconcileIntervalUs, memberRetryUs } = world.limits;
  const isJudged = scenario.faults.every(
    (fault) => sparingKinds.has(fault.what.kind) || fault.what.kind === 'remove-layers' || isBorne(fault),
  );
  const lostUs = new Map<string, number>();
  for (const { name, store } of world.nodes)
    store.watchLosses((digest) => lostUs.set(`${name} ${digest}`, world.kernel.nowUs()));
  const judge = (text: string, digest: string): void => {
    for (const { holder, router } of answersAbout(world, text)) {
      const node = nodeOf(world, holder);
      // A tag that has moved means at its holder what it meant there.
      const meant = holder.tag?.digest ?? digest;
      if (node === undefined || node.store.has(meant)) continue;
      const goneUs = world.kernel.nowUs() - (lostUs.get(`${node.name} ${meant}`) ?? 0);
      if (goneUs <= reconcileIntervalUs + memberRetryUs) continue;
      violate(`${router.name} says that ${node.name} has ${text}, which it has not had for ${goneUs} us`);
    }
  };
  return {
    atEnd: () => {
      if (!isJudged) return;
      for (const image of world.images.values()) {
        for (const { digest } of world.catalogue.reach(image.root)) judge(digest, digest);
        judge(image.name, image.root.digest);
      }
    },
  };
};

/** L13's other half: what a node has had for a while is known at some router that is not its own, where nothing keeps members from each other. */
export const heldIsKnown: OracleFactory = ({ scenario, violate, world }) => {
  const isJudged =
    scenario.mirror === undefined &&
    scenario.limits === undefined &&
    scenario.cluster.nodes > 1 &&
    // An answer names no more.
    scenario.cluster.nodes <= world.limits.holdersPerAnswerMax &&
    scenario.faults.every((fault) => {
      const { kind } = fault.what;
      if (kind === 'corrupt' || isOfFile(fault)) return false;
      return sparingKinds.has(kind) || kind === 'remove-layers' || isBorne(fault);
    });
  if (!isJudged) return {};
  const completeUs = new Map<string, number>();
  const judge = (): void => {
    const nowUs = world.kernel.nowUs();
    for (const image of world.images.values()) {
      const holders = world.nodes.filter(
        ({ name }) => (completeUs.get(`${name} ${image.name}`) ?? Infinity) + knownUs <= nowUs,
      );
      if (holders.length === 0) continue;
      for (const { digest } of world.catalogue.reach(image.root)) {
        const known = new Set<SimNode | undefined>();
        for (const { holder, router } of answersAbout(world, digest)) {
          const node = nodeOf(world, holder);
          if (node !== router) known.add(node);
        }
        const missing = holders.find((holder) => holder.store.has(digest) && !known.has(holder));
        if (missing !== undefined) violate(`no router knows that ${missing.name} has ${digest}`);
      }
    }
  };
  return {
    on: {
      'pull-begin': judge,
      'pull-end': ({ atUs, node, outcome, pull }) => {
        const image = outcome === 'ok' ? scenario.workload[pull]?.image : undefined;
        if (image !== undefined) completeUs.set(`${node} ${image}`, atUs);
      },
    },
    atEnd: judge,
  };
};

/** So long after a pull others know of it, though the store tells late. */
const knownUs = 5_000_000;
