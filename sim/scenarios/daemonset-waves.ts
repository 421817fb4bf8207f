export const daemonsetWaves = `
name: DaemonSet in waves
shows: an agent for every node, rolled out in five waves. The first wave pays, the four after it take nothing from upstream

cluster:
  nodes: 50
  zones: 3
upstream: office
images:
  - name: ghcr.io/observe/agent:7
    layers: [80MB, 40MB, 5MB]
workload:
  - pull: ghcr.io/observe/agent:7
    waves: 5
    every: 60s
    jitter: 5s
expect:
  peili: { failed: 0, upstreamCopies: at most 10.1 }
`;
