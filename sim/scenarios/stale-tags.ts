export const staleTags = `
name: stale tags
shows: without an age of tags, mirrors answer what a tag meant when their node pulled it. Who pulls after it has moved gets the old image, from the cluster

cluster: { nodes: 10, zones: 2 }
images:
  - name: docker.io/library/app:latest
    layers: [50MB, 10MB]
    movesAt: 30s
workload:
  - { pull: docker.io/library/app:latest, on: first 5 , every: 2s }
  - { pull: docker.io/library/app:latest, on: last 5, at: 90s, every: 5s }
expect:
  peili: { failed: 0, upstreamCopies: at most 1.5 }
  noMirror: { upstreamCopies: at least 9 }
`;
