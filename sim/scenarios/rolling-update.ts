export const rollingUpdate = `
name: rolling update
shows: a Deployment replaces its pods ten percent at a time. The first ten percent take the new image from upstream, all others from them

cluster:
  nodes: 50
  zones: 3
upstream: office
images:
  - name: docker.io/library/app:2
    layers: [200MB, 4 x 20MB, 1MB]
workload:
  - pull: docker.io/library/app:2
    atOnce: 10%
    every: 15s
    jitter: 2s
expect:
  peili: { failed: 0, upstreamCopies: at most 5.1 }
  noMirror: { upstreamCopies: at least 20 }
`;
