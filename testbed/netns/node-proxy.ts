import type { ProxiedRequest } from '../http-framing.ts';
import type { AddressPlan } from './addresses.ts';
import { mirrorPorts } from './mirror-process.ts';
import type { Namespace } from './namespace.ts';
import { startPart } from './part-process.ts';
import type { NodeFaultRule } from './part-protocol.ts';

/** Between a node's mirror and who comes over its cable: faults of single answers, to the byte. The node's own containerd does not pass it. */
export interface NodeFaultProxy {
  /** Replaces all rules; those under way keep theirs. */
  setRules(rules: readonly NodeFaultRule[]): Promise<void>;
  /** What others asked the mirror for, in order. */
  requests(): Promise<readonly ProxiedRequest[]>;
  /** Takes it out: connections are reset, later ones reach the mirror again. */
  close(): Promise<void>;
}

const proxyPort = 5999;

export async function startNodeFaultProxy(
  namespace: Namespace,
  plan: AddressPlan,
  address: string,
  rules: readonly NodeFaultRule[],
): Promise<NodeFaultProxy> {
  const target = `http://${plan.loopback}:${mirrorPorts.registry}`;
  const part = await startPart(namespace, 'fault-proxy', { host: address, port: proxyPort, target });
  await part.call('setRules', rules);
  const filter = plan.family === 'ipv4' ? 'iptables' : 'ip6tables';
  const redirection = ['PREROUTING', '-i', 'eth0', '-p', 'tcp', '--dport', String(mirrorPorts.registry)];
  const change = (how: '-A' | '-D'): Promise<string> =>
    namespace.run([filter, '-w', '-t', 'nat', how, ...redirection, '-j', 'REDIRECT', '--to-ports', String(proxyPort)]);
  await change('-A');
  return {
    setRules: (next) => part.call('setRules', next),
    requests: () => part.call('requests'),
    close: async () => {
      await change('-D');
      await part.call('kill');
      await part.process.kill();
    },
  };
}
