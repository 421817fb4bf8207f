export const nodesJoin = `
name: nodes join one by one
shows: the cluster grows by a node every five seconds. Only the first one takes the image from upstream

cluster:
  nodes: 20
  zones: 3
images:
  - name: docker.io/library/app:1
    layers: [100MB, 20MB, 1MB]
workload:
  - { pull: docker.io/library/app:1, every: 5s }
expect:
  peili: { failed: 0, upstreamCopies: at most 1.01 }
`;
