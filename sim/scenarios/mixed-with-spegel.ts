export const mixedWithSpegel = `
name: mixed with Spegel
shows: a cluster on its way from Spegel to peili, every second node with the one and the other. What a node of either kind holds, nodes of both kinds find, and the registry sends one copy of each image

cluster: { nodes: 20, zones: 2 }
upstream: office
images:
  - name: docker.io/library/app:1
    layers: [100MB, 2 x 20MB]
  - name: docker.io/library/app:2
    layers: [100MB, 2 x 20MB]
workload:
  - { pull: docker.io/library/app:1, on: n0 }
  - { pull: docker.io/library/app:1, except: n0, at: 30s, jitter: 2s }
  - { pull: docker.io/library/app:2, on: n1, at: 2min }
  - { pull: docker.io/library/app:2, except: n1, at: 150s, jitter: 2s }
policies: [halfSpegel, peili, spegelLike, noMirror]
expect:
  halfSpegel: { failed: 0, pending: 0, upstreamCopies: at most 1.05 }
  peili: { failed: 0, upstreamCopies: at most 1.01 }
`;
