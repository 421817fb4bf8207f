export const coldStart = `
name: cold start
shows: a new image on a hundred nodes at once. Nobody has it yet, so each takes a copy from upstream, and the mirror must not make that slower

cluster:
  nodes: 100
  zones: 3
upstream: office
images:
  - name: docker.io/library/app:1
    layers: 10 x 50MB
workload:
  - pull: docker.io/library/app:1
    jitter: 2s
until: 2h
expect:
  peili: { failed: 0, pending: 0 }
`;
