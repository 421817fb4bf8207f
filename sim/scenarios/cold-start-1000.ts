export const coldStart1000 = `
name: cold start of a thousand
shows: a thousand nodes pull a new image of 1 GiB at once. What the registry can give decides, and the mirrors must not make it slower

cluster:
  nodes: 1000
  zones: 3
upstream: { rate: 10Gbit/s, latency: 10ms }
images:
  - name: docker.io/library/app:1
    layers: 8 x 128MiB
workload:
  - pull: docker.io/library/app:1
    jitter: 5s
until: 6h
expect:
  peili: { failed: 0, pending: 0 }
`;
