export const registryRateLimits = `
name: registry rate-limits
shows: Docker Hub answers ten manifests in six hours for the whole office, and 429 after that. A mirror asks for one of them, so all nodes get the image

cluster: { nodes: 60, zones: 2 }
upstream: { profile: dockerHub, manifestLimit: { gets: 10, window: 6h } }
images:
  - name: docker.io/library/app:1
    layers: [50MB, 10MB]
workload:
  - { pull: docker.io/library/app:1, on: n0 }
  - { pull: docker.io/library/app:1, except: n0, at: 20s, jitter: 2s }
until: 10min
expect:
  peili: { failed: 0, upstreamCopies: at most 1.01 }
  noMirror: { failed: at least 50 }
`;
