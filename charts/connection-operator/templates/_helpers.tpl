{{- define "connection-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* At most 52 characters: with "-uninstall" it still fits 63. A release's name may hold dots, a Service's may not. */}}
{{- define "connection-operator.fullname" -}}
{{- $name := include "connection-operator.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | replace "." "-" | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | replace "." "-" | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "connection-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ include "connection-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: connection-operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Labels and annotations of an object that has none of its own. */}}
{{- define "connection-operator.metadata" -}}
labels:
  {{- include "connection-operator.labels" . | nindent 2 }}
{{- with .Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The operator's pods, and not those of the uninstall job. A Deployment's selector can never change. */}}
{{- define "connection-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "connection-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "connection-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "connection-operator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name must name the existing account, as serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "connection-operator.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}

{{/* What runs are run by. Connectors without it would have exports wait for what never begins. */}}
{{- define "connection-operator.connectorImage" -}}
{{- if and .Values.connectors (not .Values.connector.image) }}
{{- fail "the value connectors names connectors, and connector.image says by which image they run: set it, or leave connectors empty" }}
{{- end }}
{{- .Values.connector.image }}
{{- end }}

{{/* No process here needs a privilege, a shell, or a file that it could write. */}}
{{- define "connection-operator.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "connection-operator.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Where pods of this chart run, the uninstall job's included. */}}
{{- define "connection-operator.placement" -}}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Refuses names of namespaces that can't take a Role, before anything changes: Helm would stop half-way, with the
     operator's rights in all namespaces gone. Without a cluster to ask, as in `helm template`, lookup finds nothing at all. */}}
{{- define "connection-operator.checkNamespaces" -}}
{{- if and .Values.namespaces (lookup "v1" "Namespace" "" "default") }}
{{- $missing := list }}
{{- range $name := without .Values.namespaces .Release.Namespace }}
{{- $namespace := lookup "v1" "Namespace" "" $name }}
{{- if or (not $namespace) $namespace.metadata.deletionTimestamp }}
{{- $missing = append $missing $name }}
{{- end }}
{{- end }}
{{- with $missing }}
{{- fail (printf "the value namespaces names %s, which this cluster doesn't have or is deleting, so nothing was changed: correct the name, take it off the list, or make the namespace first (kubectl create namespace NAME), and run this again" (join ", " .)) }}
{{- end }}
{{- end }}
{{- end }}
