export const smallArtifacts = `
name: many small artifacts
shows: an artifact of two hundred blobs of 20 kB, from a registry next door. A mirror costs each of them little

cluster:
  nodes: 10
  zones: 2
upstream: near
images:
  - name: registry.example/charts/many:1
    layers: 200 x 20kB
workload:
  - { pull: registry.example/charts/many:1, on: n0 }
  - { pull: registry.example/charts/many:1, except: n0, at: 10s, jitter: 1s }
expect:
  peili: { failed: 0, upstreamCopies: at most 1.1, slowest: at most 3s }
`;
