{{/* The pod of a mirror: (dict "root" . "component" "mirror" "servesOnly" false). */}}
{{- define "peili.pod" -}}
{{- $values := .root.Values }}
{{- $settings := $values.peili }}
metadata:
  {{- with $values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  labels:
    peili/fleet: {{ .fleet }}
    {{- include "peili.podLabels" . | nindent 4 }}
spec:
  serviceAccountName: {{ include "peili.serviceAccountName" .root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  priorityClassName: {{ $values.priorityClassName }}
  # Bodies in flight may end: 25 s at most.
  terminationGracePeriodSeconds: 30
  {{- with $values.podSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if or $values.extraInitContainers $settings.containerdMirrorAdd }}
  initContainers:
    {{- with $values.extraInitContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- if $settings.containerdMirrorAdd }}
    {{- include "peili.configuration" .root | nindent 4 }}
    {{- end }}
  {{- end }}
  containers:
    {{- include "peili.registry" . | nindent 4 }}
  volumes:
    # The directory of the socket, and not the socket: when containerd is restarted it makes a new one.
    - name: containerd-run
      hostPath:
        path: {{ dir $settings.containerdSock }}
        type: Directory
    - name: containerd-content
      hostPath:
        path: {{ $settings.containerdContentPath }}
        type: DirectoryOrCreate
    {{- if $settings.containerdMirrorAdd }}
    - name: containerd-config
      hostPath:
        path: {{ dir $settings.containerdRegistryConfigPath }}
        type: DirectoryOrCreate
    - name: containerd-hosts
      hostPath:
        path: {{ $settings.containerdRegistryConfigPath }}
        type: DirectoryOrCreate
    {{- end }}
    # It may be deleted: what it said last holds.
    - name: mode
      configMap:
        name: {{ include "peili.fullname" .root }}-mode
        optional: true
    {{- if $settings.persistence.enabled }}
    - name: data
      hostPath:
        path: {{ $settings.persistence.hostPath }}
        type: DirectoryOrCreate
    {{- end }}
    {{- with $values.basicAuthSecretName }}
    - name: basic-auth
      secret:
        secretName: {{ . }}
        defaultMode: 0400
    {{- end }}
    {{- with $values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- $affinity := include "peili.affinity" . }}
  {{- with $affinity }}
  affinity:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "peili.basicAuthMount" -}}
{{- if .Values.basicAuthSecretName }}
- name: basic-auth
  mountPath: /etc/secrets/basic-auth
  readOnly: true
{{- end }}
{{- end }}

{{- define "peili.nodeIp" -}}
- name: NODE_IP
  {{- if .Values.service.registry.nodeIp }}
  value: {{ .Values.service.registry.nodeIp | quote }}
  {{- else }}
  valueFrom:
    fieldRef:
      fieldPath: status.hostIP
  {{- end }}
{{- end }}

{{/* Writes hosts.toml before the mirror is there: containerd goes past a mirror that refuses connections. */}}
{{- define "peili.configuration" -}}
{{- $settings := .Values.peili }}
{{- $registry := .Values.service.registry }}
- name: configuration
  image: {{ include "peili.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  securityContext:
    {{- toYaml .Values.securityContext | nindent 4 }}
  args:
    - configuration
    - --log-level={{ $settings.logLevel }}
    - --containerd-registry-config-path={{ $settings.containerdRegistryConfigPath }}
    - --resolve-tags={{ $settings.resolveTags }}
    - --prepend-existing={{ $settings.prependExisting }}
    {{- with $settings.mirroredRegistries }}
    - --mirrored-registries
    {{- toYaml . | nindent 4 }}
    {{- end }}
    - --mirror-targets
    {{- if not $registry.usePreferSameNodeTrafficDistribution }}
    - http://$(NODE_IP):{{ $registry.hostPort }}
    {{- end }}
    {{- with $registry.nodePort }}
    - http://$(NODE_IP):{{ . }}
    {{- end }}
    {{- with $settings.additionalMirrorTargets }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  env:
    - name: NODE_OPTIONS
      value: {{ include "peili.nodeOptions" (list $settings.containerdRegistryConfigPath) | quote }}
    {{- include "peili.nodeIp" . | nindent 4 }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  volumeMounts:
    - name: containerd-hosts
      mountPath: {{ $settings.containerdRegistryConfigPath }}
    {{- include "peili.basicAuthMount" . | nindent 4 }}
{{- end }}

{{- define "peili.registry" -}}
{{- $servesOnly := .servesOnly }}
{{- with .root }}
{{- $settings := .Values.peili }}
{{- $service := .Values.service }}
- name: registry
  image: {{ include "peili.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  securityContext:
    {{- toYaml .Values.securityContext | nindent 4 }}
  args:
    - registry
    - --log-level={{ $settings.logLevel }}
    - --request-log={{ $settings.requestLog }}
    - --registry-addr=:{{ $service.registry.port }}
    - --router-addr=:{{ $service.router.port }}
    - --metrics-addr=:{{ $service.metrics.port }}
    - --bootstrap-kind=dns
    - --dns-bootstrap-domain={{ include "peili.host" (dict "root" . "service" "bootstrap") }}
    - --containerd-sock={{ $settings.containerdSock }}
    - --containerd-namespace={{ $settings.containerdNamespace }}
    - --containerd-content-path={{ $settings.containerdContentPath }}
    - --containerd-registry-config-path={{ $settings.containerdRegistryConfigPath }}
    {{- with $settings.mirrorResolveRetries }}
    - --mirror-resolve-retries={{ . }}
    {{- end }}
    {{- with $settings.mirrorResolveTimeout }}
    - --mirror-resolve-timeout={{ . }}
    {{- end }}
    - --mode-path=/etc/peili/mode
    {{- if $servesOnly }}
    - --mode-path=/etc/peili/mode-of-labelled-nodes
    {{- end }}
    - --tag-max-age={{ $settings.tagMaxAge }}
    - --blob-verification={{ $settings.blobVerification }}
    # Without hosts.toml of ours there is nothing to prove.
    - --canary-interval={{ ternary $settings.canaryInterval "0" $settings.containerdMirrorAdd }}
    - --debug-web-enabled={{ $settings.debugWebEnabled }}
    {{- if $settings.persistence.enabled }}
    - --data-dir={{ $settings.persistence.path }}
    {{- end }}
    {{- range $flag, $list := dict "--mirrored-registries" $settings.mirroredRegistries "--registry-filters" $settings.registryFilters "--blobs-only-registries" $settings.blobsOnlyRegistries }}
    {{- with $list }}
    - {{ $flag }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- end }}
    {{- with $settings.extraArgs }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  env:
    - name: NODE_OPTIONS
      {{- $writes := list $settings.containerdRegistryConfigPath }}
      {{- if $settings.persistence.enabled }}
      {{- $writes = append $writes $settings.persistence.path }}
      {{- end }}
      value: {{ include "peili.nodeOptions" $writes | quote }}
    - name: PEILI_ZONE
      {{- if $settings.zone }}
      value: {{ $settings.zone | quote }}
      {{- else }}
      valueFrom:
        fieldRef:
          fieldPath: metadata.labels['topology.kubernetes.io/zone']
      {{- end }}
  ports:
    - name: registry
      containerPort: {{ $service.registry.port }}
      {{- if not $service.registry.usePreferSameNodeTrafficDistribution }}
      hostPort: {{ $service.registry.hostPort }}
      {{- end }}
      protocol: TCP
    - name: router
      containerPort: {{ $service.router.port }}
      protocol: TCP
    - name: metrics
      containerPort: {{ $service.metrics.port }}
      protocol: TCP
  startupProbe:
    httpGet:
      path: /livez
      port: registry
    periodSeconds: 1
    failureThreshold: 60
  readinessProbe:
    httpGet:
      path: /readyz
      port: registry
    periodSeconds: 3
    timeoutSeconds: 2
  {{- if .Values.livenessProbe.enabled }}
  # A main thread that stands still ends the process by itself, within 5 s; this is for whatever else may go wrong.
  livenessProbe:
    httpGet:
      path: /livez
      port: registry
    periodSeconds: 3
    timeoutSeconds: 2
    failureThreshold: 3
  {{- end }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  volumeMounts:
    - name: containerd-run
      mountPath: {{ dir $settings.containerdSock }}
      readOnly: true
      # What containerd unmounts there, as root file systems of pods that end, is not kept alive by this pod.
      mountPropagation: HostToContainer
    - name: containerd-content
      mountPath: {{ $settings.containerdContentPath }}
      readOnly: true
    {{- if $settings.containerdMirrorAdd }}
    # For `peili verify`: config.toml.
    - name: containerd-config
      mountPath: {{ dir $settings.containerdRegistryConfigPath }}
      readOnly: true
    - name: containerd-hosts
      mountPath: {{ $settings.containerdRegistryConfigPath }}
    {{- end }}
    - name: mode
      mountPath: /etc/peili
      readOnly: true
    {{- if $settings.persistence.enabled }}
    - name: data
      mountPath: {{ $settings.persistence.path }}
    {{- end }}
    {{- include "peili.basicAuthMount" . | nindent 4 }}
{{- end }}
{{- end }}

{{/* Nodes that only serve have a DaemonSet of their own: a pod cannot see its node's labels. */}}
{{- define "peili.affinity" -}}
{{- $affinity := deepCopy .root.Values.affinity }}
{{- with .root.Values.peili.serveOnlyNodeLabel }}
{{- if $affinity.nodeAffinity }}
{{- fail "peili.serveOnlyNodeLabel and affinity.nodeAffinity cannot be put together: give one of them" }}
{{- end }}
{{- $expression := dict "key" . "operator" (ternary "In" "NotIn" $.servesOnly) "values" (list "true") }}
{{- $terms := list (dict "matchExpressions" (list $expression)) }}
{{- $_ := set $affinity "nodeAffinity" (dict "requiredDuringSchedulingIgnoredDuringExecution" (dict "nodeSelectorTerms" $terms)) }}
{{- end }}
{{- with $affinity }}
{{- toYaml . }}
{{- end }}
{{- end }}
