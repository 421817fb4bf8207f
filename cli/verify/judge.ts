import type { Check } from './check.ts';
import type { Expectations, Facts } from './facts.ts';
import { judgeConfigPath, judgeLayers } from './judge-config.ts';
import { judgeCanaryFact, judgeImage, judgeMembers, judgeMirror, judgeReady } from './judge-mirror.ts';
import { judgeContainerd, judgeContent, judgeHosts } from './judge-node.ts';

/** All checks, in the order in which one would look: from what everything needs to what it is for. */
export function judge(facts: Facts, expected: Expectations): readonly Check[] {
  const { canary, config, containerd } = facts;
  const version = containerd.type === 'read' ? containerd.value.number : undefined;
  const context = { version, expected, canary };
  return [
    { name: 'containerd', ...judgeContainerd(containerd, expected) },
    { name: 'config-path', ...judgeConfigPath(config, context) },
    { name: 'layers', ...judgeLayers(config, facts.layers, context) },
    { name: 'content', ...judgeContent(facts) },
    { name: 'hosts', ...judgeHosts(facts, expected) },
    { name: 'mirror', ...judgeMirror(facts.mirror, expected) },
    { name: 'ready', ...judgeReady(facts) },
    { name: 'members', ...judgeMembers(facts, expected) },
    { name: 'canary', ...judgeCanaryFact(facts) },
    { name: 'image', ...judgeImage(facts) },
  ];
}
