export const registryDown = `
name: registry down
shows: the registry cannot be reached when nine more nodes need what one of ten has. They get it from each other

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
  - { kind: unplug, on: upstream, at: 30s }
until: 10min
expect:
  peili: { failed: 0, pending: 0, upstreamCopies: at most 1.01, slowest: at most 30s }
  noMirror: { failed: at least 9 }
`;
