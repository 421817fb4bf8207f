export const firstHolderMelts = `
name: the first holder melts
shows: one node has it, and thirty want it at the same moment. All that leaves goes through the cable of that one, and the registry gives nothing

cluster: { nodes: 31, zones: 3, up: 1Gbit/s, down: 1Gbit/s }
images:
  - name: docker.io/library/app:1
    layers: [200MB, 50MB]
workload:
  - { pull: docker.io/library/app:1, on: n0 }
  - { pull: docker.io/library/app:1, except: n0, at: 20s }
expect:
  peili: { failed: 0, upstreamCopies: at most 1.01 }
`;
