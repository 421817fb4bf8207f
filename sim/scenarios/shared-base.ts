export const sharedBase = `
name: shared base
shows: version 2 has the base of version 1, which every node has. Only its own layers move, and only once from upstream

cluster: { nodes: 10, zones: 2 }
images:
  - name: docker.io/library/base:1
    layers: [100MB, 50MB]
  - name: docker.io/library/app:1
    base: docker.io/library/base:1
    layers: 10MB
  - name: docker.io/library/app:2
    base: docker.io/library/base:1
    layers: 12MB
workload:
  - { pull: docker.io/library/app:1, on: n0 }
  - { pull: docker.io/library/app:1, except: n0, at: 20s }
  - { pull: docker.io/library/app:2, every: 5s, at: 60s }
expect:
  peili: { failed: 0, upstreamCopies: at most 1.01 }
`;
