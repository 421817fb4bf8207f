export const secondWave = `
name: second wave
shows: one node has pulled, then all others do. They take nothing from upstream

cluster:
  nodes: 20
  zones: 3
images:
  - name: docker.io/library/app:1
    layers: [50MB, 10MB, 1MB]
workload:
  - pull: docker.io/library/app:1
    on: n0
  - pull: docker.io/library/app:1
    except: n0
    at: 30s
    jitter: 1s
expect:
  peili: { failed: 0, upstreamCopies: at most 1.01 }
  noMirror: { upstreamCopies: at least 20 }
`;
