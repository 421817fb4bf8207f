export const holderStalls = `
name: holder stalls
shows: the holder in the same zone stops sending in the middle of a layer, and its connection stands. Two seconds later the bytes go on from another one

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
  - { kind: stall, on: node1, byte: 20MB, at: 19s }
expect:
  peili: { failed: 0, upstreamCopies: at most 2.01, slowest: at most 4s }
`;
