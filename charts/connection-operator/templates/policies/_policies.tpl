{{/* The accounts that policies name, as CEL strings. */}}
{{- define "connection-operator.operatorAccount" -}}
'system:serviceaccount:{{ .Release.Namespace }}:{{ include "connection-operator.serviceAccountName" . }}'
{{- end }}

{{- define "connection-operator.uninstallAccount" -}}
'system:serviceaccount:{{ .Release.Namespace }}:{{ include "connection-operator.fullname" . }}-uninstall'
{{- end }}

{{/* Kubernetes' own: removes what has lost its owner. Without service accounts for controllers they are all one user. */}}
{{- define "connection-operator.collectorAccounts" -}}
['system:serviceaccount:kube-system:generic-garbage-collector', 'system:kube-controller-manager']
{{- end }}

{{/* Every policy is bound to the whole cluster under its own name, and refuses. */}}
{{- define "connection-operator.policyBinding" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
  {{- include "connection-operator.metadata" .root | nindent 2 }}
spec:
  policyName: {{ .name }}
  validationActions: [Deny]
{{- end }}

{{/*
Whether a request changes a connection, dataset or key vault. By its managed fields one decides what somebody else's next
apply changes, and by its labels what a pipeline removes, so no part of it is free; but the operator's finalizer, what the
garbage collector does, and all that goes on in a namespace on its way.
*/}}
{{- define "connection-operator.changed" -}}
request.operation == 'CREATE' || object.spec != oldObject.spec ||
object.metadata.?annotations != oldObject.metadata.?annotations ||
(object.metadata != oldObject.metadata && namespaceObject.status.phase != 'Terminating' &&
  !(request.userInfo.username in ([{{ include "connection-operator.operatorAccount" . }}, {{ include "connection-operator.uninstallAccount" . }}] +
    {{ include "connection-operator.collectorAccounts" . }})))
{{- end }}

{{/* From Kubernetes 1.36 on the API server itself writes stamps and finalizers. */}}
{{- define "connection-operator.mutates" -}}
{{- if .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" -}}true{{- end -}}
{{- end }}

{{/* Consent before and after a request, and the stamp that belongs to it. */}}
{{- define "connection-operator.consentVariables" -}}
- name: user
  expression: request.userInfo.username
- name: before
  expression: "request.operation == 'CREATE' ? '' : oldObject.metadata.?annotations[?'connections.dev/consent'].orValue('')"
- name: after
  expression: object.metadata.?annotations[?'connections.dev/consent'].orValue('')
- name: stampBefore
  expression: "request.operation == 'CREATE' ? '' : oldObject.metadata.?annotations[?'connections.dev/consented-by'].orValue('')"
- name: byPipeline
  expression: variables.user in {{ .Values.pipelines | toJson }}
# What stamps said before that was withdrawn and that no person gave again since, as lines `<digest> <user>`: the stamp
# itself holds one decision only.
- name: withdrawalsBefore
  expression: "request.operation == 'CREATE' ? '' : oldObject.metadata.?annotations[?'connections.dev/consent-withdrawn'].orValue('')"
- name: withdrawn
  expression: variables.withdrawalsBefore.split('\n').filter(line, line.matches('^[0-9a-f]{64} .+$'))
# A pipeline that sets again what somebody took back has given nothing, whatever it has set in between.
- name: stamp
  expression: |-
    variables.after == variables.before ? variables.stampBefore :
    variables.after == '' ? 'withdrawn ' + variables.before + ' ' + variables.user :
    variables.byPipeline && variables.stampBefore.startsWith('withdrawn ' + variables.after + ' ') ? variables.stampBefore :
    variables.byPipeline && variables.withdrawn.exists(line, line.startsWith(variables.after + ' ')) ?
      'withdrawn ' + variables.withdrawn.filter(line, line.startsWith(variables.after + ' '))[0] :
    'given ' + variables.after + ' ' + variables.user
{{- if include "connection-operator.mutates" . }}
# The stamp that gives way is kept, the newest 16 of them. A line whose digest a person gives goes, and so does an older
# one of the same digest. What a pipeline withdrew isn't kept: by it, what people did could be pushed out.
- name: givingWay
  expression: |-
    variables.stamp != variables.stampBefore && variables.stampBefore.matches('^withdrawn [0-9a-f]{64} .+$') &&
        !(variables.stampBefore.substring(75) in {{ .Values.pipelines | toJson }}) ?
      [variables.stampBefore.substring(10)] : []
- name: stillWithdrawn
  expression: |-
    (variables.givingWay + variables.withdrawn.filter(line, !variables.givingWay.exists(newer, newer.startsWith(line.substring(0, 65))))).filter(
      line, variables.after in ['', variables.before] || variables.byPipeline || !line.startsWith(variables.after + ' '))
- name: withdrawals
  expression: variables.stillWithdrawn.filter(line, variables.stillWithdrawn.indexOf(line) < 16).join('\n')
{{- else }}
# The author of a change writes the stamp here, and keeps no more than that.
- name: withdrawals
  expression: variables.withdrawalsBefore
{{- end }}
{{- end }}

{{/*
With the value namespaces: the namespaces that an operator looks at. Elsewhere nobody would ever take off what these
policies keep, so there Kubernetes' own rights decide.
*/}}
{{- define "connection-operator.watchedNamespaces" -}}
{{- with .Values.namespaces -}}
namespaceSelector:
  matchExpressions:
    - {key: kubernetes.io/metadata.name, operator: In, values: {{ toJson . }}}
{{- end }}
{{- end }}

{{/*
The policies that vouch for consent, each with a digest over what of it decides: the operator makes the same of what the
API server holds (src/cluster/policies/digest.rs), so a policy that somebody weakened vouches for nothing. What the API
server fills in by itself isn't written in these policies, and left out there.
*/}}
{{- define "connection-operator.policyDigests" -}}
{{- $digests := list }}
{{- range $file := list "consent" "owned" }}
{{- range $manifest := include (printf "%s/policies/%s.yaml" $.Template.BasePath $file) $ | splitList "\n---\n" }}
{{- with fromYaml $manifest }}
{{- if and (hasSuffix "AdmissionPolicy" .kind) (ne .metadata.name "sharing.connections.dev") }}
{{- $digests = append $digests (printf "%s/%s=%s" .kind .metadata.name (include "connection-operator.policyDigest" .spec)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- join "," $digests }}
{{- end }}

{{- define "connection-operator.policyDigest" -}}
{{- $conditions := dict }}
{{- range .matchConditions }}{{ $_ := set $conditions .name .expression }}{{ end }}
{{- $variables := dict }}
{{- range .variables }}{{ $_ := set $variables .name .expression }}{{ end }}
{{- $validations := list }}
{{- range .validations }}{{ $validations = append $validations .expression }}{{ end }}
{{- list .failurePolicy .matchConstraints $conditions $variables $validations (default list .mutations) | toRawJson | sha256sum }}
{{- end }}
