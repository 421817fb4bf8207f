export const spegelResumeFromZero = `
name: Spegel resumes from zero
shows: the sender is killed in the middle of a layer while the registry is down. v0.4 goes on at the other holder from byte 0, so the digest is wrong and the pull fails

cluster: { nodes: 4, zones: 1, up: 400Mbit/s, down: 2Gbit/s }
upstream: { rate: 400Mbit/s, latency: 100us }
images:
  - name: docker.io/library/app:1
    layers: 100MB
workload:
  - { pull: docker.io/library/app:1, on: [n1, n2] }
  - { pull: docker.io/library/app:1, on: n0, at: 30s }
faults:
  - { kind: reset, on: [n1, n2], byte: 30MB, at: 29s, until: 30.5s }
  - { kind: unplug, on: upstream, at: 29s }
until: 10min
policies: [peili, spegelLike-0.4]
expect:
  peili: { failed: 0, pending: 0, slowest: at most 10s }
  spegelLike-0.4: { failed: 1 }
`;
