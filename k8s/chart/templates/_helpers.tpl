{{- define "herd.image" -}}
{{ .root.Values.image.registry }}/{{ .name }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- define "herd.node" -}}
herd-node{{ if ne .name "default" }}-{{ .name }}{{ end }}
{{- end }}

{{/* What gateways call the model of a pool. */}}
{{- define "herd.model" -}}
{{ .model | base | trimSuffix ".gguf" }}
{{- end }}

{{- define "herd.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "herd.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop:
      - ALL
{{- end }}

{{- define "herd.identity" -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
- name: Cluster__Name
  value: $(POD_NAME)
- name: Cluster__Address
  value: $(POD_IP)
- name: Cluster__Store
  value: {{ .Values.store.address }}
{{- if .Values.store.passwordSecret }}
- name: Cluster__StorePasswordFile
  value: /etc/herd/store/password
{{- end }}
- name: Cluster__KeyFile
  value: /etc/herd/cluster/cluster.key
- name: Cluster__SiloPort
  value: "11111"
{{- end }}

{{/* The store's password, for pods that connect to it and for the store itself. */}}
{{- define "herd.storeMount" -}}
{{- if .Values.store.passwordSecret }}
- name: store-password
  mountPath: /etc/herd/store
  readOnly: true
{{- end }}
{{- end }}

{{- define "herd.storeVolume" -}}
{{- if .Values.store.passwordSecret }}
- name: store-password
  secret:
    secretName: {{ .Values.store.passwordSecret }}
    defaultMode: 288
{{- end }}
{{- end }}

{{- define "herd.spread" -}}
- maxSkew: 1
  topologyKey: {{ .key }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- toYaml .labels | nindent 6 }}
{{- end }}
