export const zoneCut = `
name: zone cut
shows: nothing passes between two zones while both roll out. Each has a node with the image, so neither takes a copy from upstream

cluster: { nodes: 12, zones: [a, b], up: 1Gbit/s, down: 1Gbit/s }
images:
  - name: docker.io/library/app:1
    layers: [200MB, 50MB]
workload:
  - { pull: docker.io/library/app:1, on: first 4 }
  - { pull: docker.io/library/app:1, except: first 4, at: 20s, jitter: 1s }
faults:
  - { kind: partition, on: zone a, with: zone b, at: 15s, for: 2min }
expect:
  peili: { failed: 0, pending: 0, upstreamCopies: at most 6, slowest: at most 30s }
`;
