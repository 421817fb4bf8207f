import { run } from './run.ts';
import { bridgeHost } from './addresses.ts';
import type { AddressPlan } from './addresses.ts';
import type { Namespace } from './namespace.ts';

/** The cluster's switch. The process that opened it reaches every node through it. */
export interface Bridge {
  readonly name: string;
  /** Plugs a namespace in, as `eth0`, with the address of `host`. */
  connect(namespace: Namespace, host: number): Promise<Link>;
  close(): Promise<void>;
}

export interface LinkBytes {
  /** From the namespace to the bridge. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export type Direction = 'send' | 'receive';

/** One namespace's cable. */
export interface Link {
  /** The cable is pulled: no packet passes, and nobody is told. */
  unplug(): Promise<void>;
  plug(): Promise<void>;
  /** Caps what the namespace sends or receives; undefined: no cap. */
  setRate(bitsPerSecond: number | undefined, direction: Direction): Promise<void>;
  /** All bytes since the start, with the headers of Ethernet. */
  bytes(): Promise<LinkBytes>;
  /** The kernel takes its time to do so when the namespace goes. */
  close(): Promise<void>;
}

/** A bridge takes the lowest of its ports' addresses unless it has its own: a node that comes or goes would move it. */
const bridgeMac = '02:70:65:69:6c:69';

export async function openBridge(plan: AddressPlan, clusterIndex: number): Promise<Bridge> {
  const name = `peili${clusterIndex}`;
  await run(['ip', 'link', 'add', name, 'address', bridgeMac, 'type', 'bridge']);
  await run(['ip', 'addr', 'add', plan.withPrefix(bridgeHost), 'dev', name, ...addressFlags(plan)]);
  await run(['ip', 'link', 'set', name, 'up']);
  return {
    name,
    connect: (namespace, host) => connect(plan, name, namespace, host),
    close: () => run(['ip', 'link', 'del', name]).then(() => undefined),
  };
}

/** Duplicate address detection takes a second, and there are none. */
function addressFlags({ family }: AddressPlan): string[] {
  return family === 'ipv6' ? ['nodad'] : [];
}

async function connect(plan: AddressPlan, bridge: string, namespace: Namespace, host: number): Promise<Link> {
  const outer = `${bridge}n${host}`;
  await run(['ip', 'link', 'add', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(namespace.pid)]);
  await run(['ip', 'link', 'set', outer, 'master', bridge, 'up']);
  await namespace.run(['ip', 'addr', 'add', plan.withPrefix(host), 'dev', 'eth0', ...addressFlags(plan)]);
  await namespace.run(['ip', 'link', 'set', 'eth0', 'up']);
  return {
    close: () => run(['ip', 'link', 'del', outer]).then(() => undefined),
    unplug: () => run(['ip', 'link', 'set', outer, 'down']).then(() => undefined),
    plug: () => run(['ip', 'link', 'set', outer, 'up']).then(() => undefined),
    setRate: (bitsPerSecond, direction) =>
      // What a cap delays is what leaves a device: towards the bridge the inner end's, towards the namespace the outer's.
      direction === 'send'
        ? setRate((command) => namespace.run(command), 'eth0', bitsPerSecond)
        : setRate((command) => run(command), outer, bitsPerSecond),
    bytes: async () => {
      const [statistics] = JSON.parse(await run(['ip', '-json', '-statistics', 'link', 'show', 'dev', outer])) as [
        { stats64: { rx: { bytes: number }; tx: { bytes: number } } },
      ];
      return { sentBytes: statistics.stats64.rx.bytes, receivedBytes: statistics.stats64.tx.bytes };
    },
  };
}

/** As much as one send of a large segment, or 4 ms of the rate: below that a bucket starves. */
const burstMinBytes = 128 * 1024;

/** Caps what leaves a device; undefined: no cap. */
export async function setRate(
  runThere: (command: readonly string[]) => Promise<string>,
  device: string,
  bitsPerSecond: number | undefined,
): Promise<void> {
  if (bitsPerSecond === undefined) {
    await runThere(['tc', 'qdisc', 'del', 'dev', device, 'root']).catch(() => undefined);
    return;
  }
  const burst = Math.max(burstMinBytes, Math.ceil(bitsPerSecond / 8 / 250));
  const bucket = ['tbf', 'rate', `${Math.ceil(bitsPerSecond)}bit`, 'burst', String(burst), 'latency', '100ms'];
  await runThere(['tc', 'qdisc', 'replace', 'dev', device, 'root', ...bucket]);
}

/** Drops TCP over a namespace's cable, both ways, from and to one address (and its port) or all: who sends hears nothing. Returns what ends it. */
export async function dropPackets(
  namespace: Pick<Namespace, 'run'>,
  { family }: Pick<AddressPlan, 'family'>,
  address?: string,
  port?: number,
): Promise<() => Promise<void>> {
  const program = family === 'ipv4' ? 'iptables' : 'ip6tables';
  const other = (side: 's' | 'd'): string[] => [
    ...(address === undefined ? [] : [`-${side}`, address]),
    ...(port === undefined ? [] : [`--${side}port`, String(port)]),
  ];
  const incoming = ['-i', 'eth0', '-p', 'tcp', ...other('s'), '-j', 'DROP'];
  const outgoing = ['-o', 'eth0', '-p', 'tcp', ...other('d'), '-j', 'DROP'];
  // What comes for pods of a node is forwarded by it.
  const rules = [
    ['INPUT', ...incoming],
    ['OUTPUT', ...outgoing],
    ['FORWARD', ...incoming],
    ['FORWARD', ...outgoing],
  ];
  for (const rule of rules) await namespace.run([program, '-w', '-I', ...rule]);
  return async () => {
    for (const rule of rules) await namespace.run([program, '-w', '-D', ...rule]);
  };
}
