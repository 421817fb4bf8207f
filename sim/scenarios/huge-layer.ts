export const hugeLayer = `
name: one huge layer
shows: a model of 100 GB in one layer for eight nodes, one of which has it. Whole copies come from it, none from upstream

cluster:
  nodes: 8
  up: 25Gbit/s
  down: 25Gbit/s
images:
  - name: registry.example/models/large:1
    layers: 100GB
workload:
  - { pull: registry.example/models/large:1, on: n0 }
  - { pull: registry.example/models/large:1, except: n0, at: 30min }
until: 6h
expect:
  peili: { failed: 0, upstreamCopies: at most 1.01 }
`;
