{{- define "peili.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* 53 and not 63: names that come of it, as -cleanup-wait, have to fit too. */}}
{{- define "peili.fullname" -}}
{{- $name := include "peili.name" . }}
{{- $full := .Values.fullnameOverride | default (ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name)) }}
{{- $full | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "peili.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{- define "peili.selectorLabels" -}}
app.kubernetes.io/name: {{ include "peili.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "peili.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "peili.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Labels of a pod: (dict "root" . "component" "mirror"). */}}
{{- define "peili.podLabels" -}}
app.kubernetes.io/component: {{ .component }}
{{ include "peili.selectorLabels" .root }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "peili.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (include "peili.fullname" .) }}
{{- end }}

{{- define "peili.image" -}}
{{- with .Values.image }}
{{- .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* A service's name for clients in the cluster: (dict "root" . "service" "bootstrap"). */}}
{{- define "peili.host" -}}
{{ include "peili.fullname" .root }}-{{ .service }}.{{ include "peili.namespace" .root }}.svc.{{ .root.Values.clusterDomain }}
{{- end }}

{{/* YAML reads an unquoted on as true and off as false. */}}
{{- define "peili.mode" -}}
{{- with .Values.peili.mode | toString }}
{{- get (dict "true" "on" "false" "off") . | default . }}
{{- end }}
{{- end }}

{{/* Node's permission model, with this pod's directories in place of the image's: tools/image/image-config.ts. */}}
{{- define "peili.nodeOptions" -}}
{{- $flags := list "--permission" "--allow-net" "--allow-worker" "--allow-inspector" "--allow-fs-read=*" }}
{{- range . }}
{{- $flags = append $flags (printf "--allow-fs-write=%s" .) }}
{{- end }}
{{- $flags = concat $flags (list "--disable-warning=PERM0004" "--disable-warning=PERM0006" "--disable-warning=ExperimentalWarning") }}
{{- join " " $flags }}
{{- end }}
