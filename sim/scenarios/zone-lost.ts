export const zoneLost = `
name: a zone lost
shows: one of three zones is gone in the middle of a rollout. The nodes of the other two go on

cluster:
  nodes: 18
  zones: [a, b, c]
  up: 1Gbit/s
  down: 1Gbit/s
images:
  - name: docker.io/library/app:1
    layers: [200MB, 50MB]
workload:
  - { pull: docker.io/library/app:1, on: first 6 }
  - { pull: docker.io/library/app:1, on: [zone a, zone b], except: first 6, at: 20s, jitter: 1s }
faults:
  - { kind: unplug, on: zone c, at: 21s }
expect:
  peili: { failed: 0, pending: 0, slowest: at most 60s }
`;
