export const liar = `
name: liar
shows: the only holder has a wrong byte on its disk. The pull fails once, and the next one, a second later, is right

cluster:
  nodes: 2
images:
  - name: docker.io/library/app:1
    layers: 50MB
workload:
  - { pull: docker.io/library/app:1, on: n1 }
  - { pull: docker.io/library/app:1, on: n0, at: 30s, retries: 1 }
faults:
  - { kind: corrupt, on: n1, byte: 12345678, at: 20s }
expect:
  peili: { failed: 0, slowest: at most 10s }
`;
