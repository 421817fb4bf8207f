export const holderStalls = `
name: holder stalls
shows: the first of two holders stops sending in the middle of a layer, its connection stands. The bytes go on from the other one

cluster:
  nodes: 3
  up: 1Gbit/s
  down: 1Gbit/s
images:
  - name: docker.io/library/app:1
    layers: 100MB
workload:
  - pull: docker.io/library/app:1
    on: n1
  - pull: docker.io/library/app:1
    on: n2
    at: 30s
  - pull: docker.io/library/app:1
    on: n0
    at: 60s
faults:
  - kind: stall
    on: n1
    byte: 20MB
    at: 59s
expect:
  peili: { failed: 0, upstreamCopies: at most 1.01, slowest: at most 5s }
`;
