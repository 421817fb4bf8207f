export const cloudRegistry = `
name: cloud registry
shows: a registry that gives every stream 400 Mbit/s and has no limit in all. A mirror saves money, not time, and must not cost time either

cluster: { nodes: 20, zones: 3 }
upstream: cloud
images:
  - name: registry.example/team/app:1
    layers: [100MB, 2 x 50MB]
workload:
  - { pull: registry.example/team/app:1, on: first 2 }
  - { pull: registry.example/team/app:1, except: first 2, at: 20s, jitter: 1s }
expect:
  peili: { failed: 0, upstreamCopies: at most 2.01, slowest: at most 5s }
`;
