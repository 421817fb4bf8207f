export const spegelEndlessWait = `
name: Spegel's endless wait
shows: the sender is frozen in the middle of a layer, another holder and the registry are well. Without a bound on a body that stands still, containerd cancels the whole pull after five minutes

cluster: { nodes: 4, zones: 1, up: 400Mbit/s, down: 2Gbit/s }
upstream: { rate: 400Mbit/s, latency: 100us }
images:
  - name: docker.io/library/app:1
    layers: 100MB
workload:
  - { pull: docker.io/library/app:1, on: [n1, n2] }
  - { pull: docker.io/library/app:1, on: n0, at: 30s }
faults:
  - { kind: stall, on: [n1, n2], byte: 30MB, at: 29s, until: 31s }
policies: [peili, spegelLike-0.7, noMirror]
expect:
  peili: { failed: 0, slowest: at most 15s }
  spegelLike-0.7: { failed: 1, slowest: 290s to 320s }
`;
