export const holderTrickles = `
name: holder trickles
shows: the holder in the same zone sends 20 kB a second and never stops. Another one takes over, long before containerd would give up

cluster:
  nodes:
    - { name: node, count: 2, zone: a }
    - { name: far, count: 1, zone: b }
  up: 1Gbit/s
  down: 1Gbit/s
images:
  - name: docker.io/library/app:1
    layers: 100MB
workload:
  - { pull: docker.io/library/app:1, on: [node1, far] }
  - { pull: docker.io/library/app:1, on: node0, at: 20s }
faults:
  - { kind: trickle, on: node1, rate: 20kB/s, at: 19s }
expect:
  peili: { failed: 0, upstreamCopies: at most 2.01, slowest: at most 15s }
`;
