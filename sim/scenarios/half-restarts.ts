export const halfRestarts = `
name: half the cluster restarts
shows: every second mirror is killed while all nodes pull. What was under way goes on elsewhere

cluster:
  nodes: 12
  zones: 3
  up: 1Gbit/s
  down: 1Gbit/s
images:
  - name: docker.io/library/app:1
    layers: [200MB, 50MB]
workload:
  - { pull: docker.io/library/app:1, on: first 4 }
  - { pull: docker.io/library/app:1, except: first 4, at: 20s, jitter: 500ms }
faults:
  - { kind: crash, on: 50%, at: 21s, for: 3s }
expect:
  peili: { failed: 0, slowest: at most 60s }
`;
