/**
 * Configurations of containerd as distributions have them, written after their public sources and cut down to what concerns images:
 *
 * - kubeadm leaves it to the operator, whose documentation says `containerd config default` (Kubernetes, "Container Runtimes");
 * - kind: images/base/files/etc/containerd/config.toml;
 * - k3s: pkg/agent/templates, generated at each start;
 * - EKS: amazon-eks-ami, nodeadm's templates, for containerd 1.7 and 2.x;
 * - AKS: AgentBaker's containerd templates;
 * - Talos: internal/app/machined and hack/cri-plugin.part, its parts merged to /etc/cri/conf.d/cri.toml;
 * - Bottlerocket: packages/containerd-2.1, its template for Kubernetes.
 */
export interface DistributionConfig {
  readonly name: string;
  /** What containerd of that distribution says it is. */
  readonly version: string;
  /** The main file. */
  readonly path: string;
  readonly files: Readonly<Record<string, string>>;
  /** Where its hosts.toml files are. */
  readonly registryConfigPath: string;
  /** The checks by text, without a canary. */
  readonly expected: { readonly configPath: 'ok' | 'wrong'; readonly layers: 'ok' | 'wrong' };
}

const main = '/etc/containerd/config.toml';
const certs = '/etc/containerd/certs.d';
const k3s = '/var/lib/rancher/k3s/agent/etc/containerd';

export const distributionConfigs: readonly DistributionConfig[] = [
  {
    name: 'kubeadm, containerd 1.7 with its default configuration',
    version: '1.7.28',
    path: main,
    registryConfigPath: certs,
    files: {
      [main]: `
        version = 2
        root = "/var/lib/containerd"
        imports = []
        [plugins]
          [plugins."io.containerd.grpc.v1.cri"]
            max_concurrent_downloads = 3
            sandbox_image = "registry.k8s.io/pause:3.8"
            [plugins."io.containerd.grpc.v1.cri".containerd]
              default_runtime_name = "runc"
              disable_snapshot_annotations = true
              discard_unpacked_layers = false
              snapshotter = "overlayfs"
              [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
                runtime_type = "io.containerd.runc.v2"
            [plugins."io.containerd.grpc.v1.cri".registry]
              config_path = ""`,
    },
    expected: { configPath: 'wrong', layers: 'ok' },
  },
  {
    name: 'kubeadm, containerd 2.1 with its default configuration and config_path set',
    version: '2.1.4',
    path: main,
    registryConfigPath: certs,
    files: {
      [main]: `
        version = 3
        root = '/var/lib/containerd'
        imports = []
        [plugins.'io.containerd.cri.v1.images']
          snapshotter = 'overlayfs'
          disable_snapshot_annotations = true
          discard_unpacked_layers = false
          max_concurrent_downloads = 3
          use_local_image_pull = false
          [plugins.'io.containerd.cri.v1.images'.registry]
            config_path = '/etc/containerd/certs.d'`,
    },
    expected: { configPath: 'ok', layers: 'ok' },
  },
  {
    name: 'kubeadm, containerd 2.2 with its default configuration, which is a list',
    version: '2.2.1',
    path: main,
    registryConfigPath: certs,
    files: {
      [main]: `
        version = 3
        imports = ['/etc/containerd/conf.d/*.toml']
        [plugins.'io.containerd.cri.v1.images']
          discard_unpacked_layers = false
          max_concurrent_downloads = 3
          use_local_image_pull = false
          [plugins.'io.containerd.cri.v1.images'.registry]
            config_path = '/etc/containerd/certs.d:/etc/docker/certs.d'`,
    },
    expected: { configPath: 'wrong', layers: 'ok' },
  },
  {
    name: 'kind as it comes: no config_path, layers discarded',
    version: '1.7.18',
    path: main,
    registryConfigPath: certs,
    files: {
      [main]: `
        version = 2
        [proxy_plugins."fuse-overlayfs"]
          type = "snapshot"
          address = "/run/containerd-fuse-overlayfs.sock"
        [plugins."io.containerd.grpc.v1.cri".containerd]
          discard_unpacked_layers = true
          snapshotter = "overlayfs"
          default_runtime_name = "runc"
        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
          runtime_type = "io.containerd.runc.v2"
        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "registry.k8s.io/pause:3.10"`,
    },
    expected: { configPath: 'wrong', layers: 'wrong' },
  },
  {
    name: 'kind of containerd 2 with the patches of its documentation, still in the names of 1.x',
    version: '2.1.3',
    path: main,
    registryConfigPath: certs,
    files: {
      [main]: `
        version = 2
        [plugins."io.containerd.grpc.v1.cri".containerd]
          discard_unpacked_layers = false
          snapshotter = "overlayfs"
        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
          runtime_type = "io.containerd.runc.v2"
        [plugins."io.containerd.grpc.v1.cri".registry]
          config_path = "/etc/containerd/certs.d"`,
    },
    expected: { configPath: 'ok', layers: 'ok' },
  },
  {
    name: 'k3s with containerd 2',
    version: '2.0.5-k3s2',
    path: `${k3s}/config.toml`,
    registryConfigPath: `${k3s}/certs.d`,
    files: {
      [`${k3s}/config.toml`]: `
        version = 3
        root = "/var/lib/rancher/k3s/agent/containerd"
        state = "/run/k3s/containerd"
        [grpc]
          address = "/run/k3s/containerd/containerd.sock"
        [plugins.'io.containerd.cri.v1.images']
          snapshotter = "overlayfs"
          disable_snapshot_annotations = true
          use_local_image_pull = true
        [plugins.'io.containerd.cri.v1.images'.pinned_images]
          sandbox = "rancher/mirrored-pause:3.6"
        [plugins.'io.containerd.cri.v1.images'.registry]
          config_path = "${k3s}/certs.d"`,
    },
    expected: { configPath: 'ok', layers: 'ok' },
  },
  {
    name: 'k3s, looked at with the path of other distributions',
    version: '1.7.20-k3s1',
    path: `${k3s}/config.toml`,
    registryConfigPath: certs,
    files: {
      [`${k3s}/config.toml`]: `
        version = 2
        [plugins."io.containerd.grpc.v1.cri".containerd]
          snapshotter = "overlayfs"
          disable_snapshot_annotations = true
        [plugins."io.containerd.grpc.v1.cri".registry]
          config_path = "${k3s}/certs.d"`,
    },
    expected: { configPath: 'wrong', layers: 'ok' },
  },
  {
    name: 'EKS with containerd 1.7: a list, which 1.x understands, and layers discarded',
    version: '1.7.27',
    path: main,
    registryConfigPath: certs,
    files: {
      [main]: `
        version = 2
        root = "/var/lib/containerd"
        state = "/run/containerd"
        [grpc]
        address = "/run/containerd/containerd.sock"
        [plugins."io.containerd.grpc.v1.cri".containerd]
        default_runtime_name = "runc"
        discard_unpacked_layers = true
        [plugins."io.containerd.grpc.v1.cri"]
        sandbox_image = "localhost/kubernetes/pause"
        [plugins."io.containerd.grpc.v1.cri".registry]
        config_path = "/etc/containerd/certs.d:/etc/docker/certs.d"
        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
        runtime_type = "io.containerd.runc.v2"`,
    },
    expected: { configPath: 'ok', layers: 'wrong' },
  },
  {
    name: 'EKS with containerd 2.1: discarding layers makes it pull by itself, so the list is understood',
    version: '2.1.4',
    path: main,
    registryConfigPath: certs,
    files: {
      [main]: `
        version = 3
        [plugins.'io.containerd.cri.v1.images']
        discard_unpacked_layers = true
        [plugins.'io.containerd.cri.v1.images'.pinned_images]
        sandbox = 'localhost/kubernetes/pause'
        [plugins.'io.containerd.cri.v1.images'.registry]
        config_path = '/etc/containerd/certs.d:/etc/docker/certs.d'`,
    },
    expected: { configPath: 'ok', layers: 'wrong' },
  },
  {
    name: 'EKS with containerd 2.1 and layers kept: now it pulls by the transfer service, and the list breaks it',
    version: '2.1.4',
    path: main,
    registryConfigPath: certs,
    files: {
      [main]: `
        version = 3
        [plugins.'io.containerd.cri.v1.images']
        discard_unpacked_layers = false
        [plugins.'io.containerd.cri.v1.images'.registry]
        config_path = '/etc/containerd/certs.d:/etc/docker/certs.d'`,
    },
    expected: { configPath: 'wrong', layers: 'ok' },
  },
  {
    name: 'EKS on Amazon Linux 2 with a file in its import directory',
    version: '1.7.11',
    path: main,
    registryConfigPath: certs,
    files: {
      [main]: `
        version = 2
        imports = ["/etc/containerd/config.d/*.toml"]
        [plugins."io.containerd.grpc.v1.cri".containerd]
        default_runtime_name = "runc"
        discard_unpacked_layers = true
        [plugins."io.containerd.grpc.v1.cri".registry]
        config_path = "/etc/containerd/certs.d:/etc/docker/certs.d"`,
      '/etc/containerd/config.d/mirror.toml': `
        version = 2
        [plugins."io.containerd.grpc.v1.cri".registry]
        config_path = "/etc/containerd/certs.d"
        [plugins."io.containerd.grpc.v1.cri".containerd]
        discard_unpacked_layers = false`,
    },
    expected: { configPath: 'ok', layers: 'ok' },
  },
  {
    name: 'AKS',
    version: '1.7.26-1',
    path: main,
    registryConfigPath: certs,
    files: {
      [main]: `
        version = 2
        oom_score = -999
        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "mcr.microsoft.com/oss/kubernetes/pause:3.6"
          [plugins."io.containerd.grpc.v1.cri".containerd]
            default_runtime_name = "runc"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
              runtime_type = "io.containerd.runc.v2"
          [plugins."io.containerd.grpc.v1.cri".registry]
            config_path = "/etc/containerd/certs.d"
          [plugins."io.containerd.grpc.v1.cri".registry.headers]
            X-Meta-Source-Client = ["azure/aks"]
        [metrics]
          address = "0.0.0.0:10257"`,
    },
    expected: { configPath: 'ok', layers: 'ok' },
  },
  {
    name: 'Talos as it comes: layers discarded',
    version: '2.1.4',
    path: '/etc/cri/containerd.toml',
    registryConfigPath: '/etc/cri/conf.d/hosts',
    files: {
      '/etc/cri/containerd.toml': `
        version = 3
        disabled_plugins = ["io.containerd.nri.v1.nri"]
        imports = ["/etc/cri/conf.d/cri.toml"]`,
      '/etc/cri/conf.d/cri.toml': `
        version = 3
        [plugins."io.containerd.cri.v1.images"]
          discard_unpacked_layers = true
          use_local_image_pull = true
          [plugins."io.containerd.cri.v1.images".registry]
            config_path = "/etc/cri/conf.d/hosts"`,
    },
    expected: { configPath: 'ok', layers: 'wrong' },
  },
  {
    name: 'Talos with a customization that keeps layers',
    version: '2.1.4',
    path: '/etc/cri/containerd.toml',
    registryConfigPath: '/etc/cri/conf.d/hosts',
    files: {
      '/etc/cri/containerd.toml': `
        version = 3
        imports = ["conf.d/cri.toml"]`,
      '/etc/cri/conf.d/cri.toml': `
        version = 3
        [plugins]
          [plugins."io.containerd.cri.v1.images"]
            discard_unpacked_layers = false
            use_local_image_pull = true
            [plugins."io.containerd.cri.v1.images".registry]
              config_path = "/etc/cri/conf.d/hosts"`,
    },
    expected: { configPath: 'ok', layers: 'ok' },
  },
  {
    name: 'Bottlerocket',
    version: '2.1.4+bottlerocket',
    path: main,
    registryConfigPath: certs,
    files: {
      [main]: `
        version = 3
        root = "/var/lib/containerd"
        disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.devmapper"]
        imports = ["/etc/containerd/config.d/*.toml"]
        [plugins."io.containerd.cri.v1.images"]
        use_local_image_pull = false
        [plugins."io.containerd.cri.v1.images".pinned_images]
        sandbox = "localhost/kubernetes/pause:0.1.0"
        [plugins."io.containerd.transfer.v1.local"]
        concurrent_layer_fetch_buffer = 8388608
        [plugins."io.containerd.cri.v1.images".registry]
        config_path = "/etc/containerd/certs.d"`,
    },
    expected: { configPath: 'ok', layers: 'ok' },
  },
];
