export const slowDisk = `
name: slow disk
shows: nodes whose disks write 115 MB a second. What is pulled, unpacked and read by peers goes through the same disk, and the mirror must not be what it waits for

cluster: { nodes: 8, zones: 2, disk: smallVm, unpack: { layer: 12ms, rate: 400MB/s } }
images:
  - name: docker.io/library/app:1
    layers: [200MB, 2 x 50MB]
workload:
  - { pull: docker.io/library/app:1, on: first 2 }
  - { pull: docker.io/library/app:1, except: first 2, at: 60s }
expect:
  peili: { failed: 0, upstreamCopies: at most 2.01, slowest: at most 60s }
`;
