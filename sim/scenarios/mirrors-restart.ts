export const mirrorsRestart = `
name: mirrors restart one by one
shows: the mirrors themselves are updated, each drained and started anew, in the middle of a rollout. No pull fails, and little more is taken from upstream

cluster:
  nodes: 12
  zones: 3
images:
  - name: docker.io/library/app:1
    layers: [200MB, 50MB]
workload:
  - { pull: docker.io/library/app:1, on: first 2 }
  - { pull: docker.io/library/app:1, except: first 2, at: 20s, every: 3s }
faults:
  - { kind: drain, on: all, at: 18s, every: 4s, for: 10s }
expect:
  peili: { failed: 0, upstreamCopies: at most 5 }
`;
