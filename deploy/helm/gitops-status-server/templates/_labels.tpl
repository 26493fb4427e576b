{{/* Pods are found by this one: it never changes between versions. */}}
{{- define "gitops-status-server.selector" -}}
app: {{ .Values.fullnameOverride | quote }}
{{- end }}

{{- define "gitops-status-server.labels" -}}
{{ include "gitops-status-server.selector" . }}
app.kubernetes.io/name: gitops-status-server
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: server
app.kubernetes.io/part-of: gitops-status
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end }}

{{- define "gitops-status-server.metadata" -}}
name: {{ .Values.fullnameOverride | quote }}
namespace: {{ .Release.Namespace | quote }}
labels:
  {{- include "gitops-status-server.labels" . | nindent 2 }}
{{- end }}
