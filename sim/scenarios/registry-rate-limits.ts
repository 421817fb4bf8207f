export const registryRateLimits = `
name: registry rate-limits
shows: the registry has had enough requests for today and answers 429. What one node has pulled before, all others can have

cluster:
  nodes: 10
  zones: 2
images:
  - name: docker.io/library/app:1
    layers: [100MB, 20MB]
workload:
  - { pull: docker.io/library/app:1, on: n0 }
  - { pull: docker.io/library/app:1, except: n0, at: 60s, jitter: 1s }
faults:
  - { kind: status, status: 429, on: upstream, at: 30s }
until: 10min
expect:
  peili: { failed: 0, upstreamCopies: at most 1.01, slowest: at most 10s }
  noMirror: { failed: 9 }
`;
