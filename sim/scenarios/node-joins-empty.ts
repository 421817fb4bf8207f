export const nodeJoinsEmpty = `
name: node joins empty
shows: a new node comes into a cluster that has everything, and pulls half a second after its mirror has started. It finds the others

cluster:
  nodes: 9
  zones: 3
images:
  - name: docker.io/library/app:1
    layers: [100MB, 20MB]
workload:
  - { pull: docker.io/library/app:1, on: first 8 }
  - { pull: docker.io/library/app:1, on: n8, at: 60.5s }
faults:
  - { kind: absent, on: n8, until: 60s }
expect:
  peili: { failed: 0, upstreamCopies: at most 8.01 }
`;
