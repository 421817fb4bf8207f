export const containerdFiveMinutes = `
name: containerd's five minutes
shows: the registry stops sending in the middle of a layer, and its connection stands. containerd alone waits five minutes, and then cancels the whole pull

cluster: { nodes: 1 }
images:
  - name: docker.io/library/app:1
    layers: 100MB
workload:
  - pull: docker.io/library/app:1
faults:
  - { kind: stall, on: upstream, byte: 30MB, at: 0s, until: 1s }
policies: [noMirror]
expect:
  noMirror: { failed: 1, slowest: 300s to 320s }
`;
