export const tagMoves = `
name: tag moves
shows: a tag means another image from now on, and mirrors are told to answer no tag that is older than ten seconds. Who pulls a minute later gets the new one, a copy for the cluster

cluster: { nodes: 10, zones: 2 }
images:
  - name: docker.io/library/app:latest
    layers: [50MB, 10MB]
    movesAt: 30s
workload:
  - { pull: docker.io/library/app:latest, on: first 5 , every: 2s }
  - { pull: docker.io/library/app:latest, on: last 5, at: 90s, every: 5s }
mirror: { tagMaxAge: 10s }
expect:
  peili: { failed: 0, upstreamCopies: 1.99 to 2.5 }
`;
