{{- define "kommunepuls.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Labels that select all pods of this release. */}}
{{- define "kommunepuls.selector" -}}
app.kubernetes.io/name: kommunepuls
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "kommunepuls.labels" -}}
{{ include "kommunepuls.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "kommunepuls.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "kommunepuls.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "kommunepuls.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* How a client connects: the same for the services and the topics job. */}}
{{- define "kommunepuls.kafkaEnvironment" -}}
- {name: KP_KAFKA_BOOTSTRAP, value: {{ required "kafka.bootstrap: the brokers as host:port" .Values.kafka.bootstrap | quote }}}
- {name: KP_KAFKA_SECURITY, value: {{ .Values.kafka.security | quote }}}
{{- if .Values.kafka.caSecret }}
- {name: KP_KAFKA_CA_FILE, value: /etc/kommunepuls/kafka/ca.crt}
{{- end }}
{{- end -}}

{{/* A variable from a secret; takes name, secret and optional. */}}
{{- define "kommunepuls.secretVariable" -}}
- name: {{ .name }}
  valueFrom: {secretKeyRef: {name: {{ .secret }}, key: {{ .name }}, optional: {{ .optional }}}}
{{- end -}}

{{/* KP_TOWN_FILES: the town files as paths, separated by colons. */}}
{{- define "kommunepuls.townFiles" -}}
{{- $names := list -}}
{{- range $name, $_ := .Values.towns.files -}}
{{- if hasSuffix ".yaml" $name -}}{{- $names = append $names $name -}}{{- end -}}
{{- end -}}
{{- $paths := list -}}
{{- range concat $names .Values.towns.names -}}{{- $paths = append $paths (printf "/etc/kommunepuls/towns/%s" .) -}}{{- end -}}
{{- if not $paths -}}{{- fail "towns: no town file; set towns.files, or towns.existingConfigMap or towns.volume with towns.names" -}}{{- end -}}
{{- join ":" $paths -}}
{{- end -}}

{{/* Peers behind ports; without peers the ports alone. Takes peers and ports. */}}
{{- define "kommunepuls.egressTo" -}}
- ports:
  {{- range .ports }}
  - {port: {{ . }}, protocol: TCP}
  {{- end }}
  {{- with .peers }}
  to:
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
