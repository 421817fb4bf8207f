export const spotNodes = `
name: spot nodes lost
shows: a third of the holders is taken away without a word while the rest of the cluster pulls from them. Nobody fails, nobody waits for long

cluster:
  nodes:
    - { name: spot, count: 6, zone: [a, b, c] }
    - { name: node, count: 18, zone: [a, b, c] }
  up: 1Gbit/s
  down: 1Gbit/s
images:
  - name: docker.io/library/app:1
    layers: [200MB, 50MB]
workload:
  - { pull: docker.io/library/app:1, on: [spot, node0, node1] }
  - { pull: docker.io/library/app:1, on: node, except: [node0, node1], at: 25s, jitter: 1s }
faults:
  - { kind: vanish, on: spot, at: 26.5s }
expect:
  peili: { failed: 0, pending: 0, slowest: at most 60s }
`;
