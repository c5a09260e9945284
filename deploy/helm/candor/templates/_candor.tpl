{{/* The container of Candor, for the gateway and for apps' own charts:
       initContainers:
         {{- include "candor.sidecar" .Subcharts.candor | nindent 8 }}
       volumes:
         {{- include "candor.volumes" .Subcharts.candor | nindent 8 }}
     with terminationGracePeriodSeconds: {{ include "candor.gracePeriodSeconds" .Subcharts.candor }} and the pod label
     candor-metrics: scraped. */}}
{{- define "candor.sidecar" -}}
- {{- include "candor.container" . | nindent 2 }}
  restartPolicy: Always
{{- end }}

{{- define "candor.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* What a drain may take, and 15 seconds for the last rows of evidence. */}}
{{- define "candor.gracePeriodSeconds" -}}
{{ add .Values.config.drain.minSeconds .Values.config.drain.timeoutSeconds 15 }}
{{- end }}

{{- define "candor.container" -}}
name: candor
image: {{ include "candor.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  - name: NODE_OPTIONS
    value: --max-old-space-size={{ .Values.maxOldSpaceSize }}
  - name: CANDOR_TOKEN
    valueFrom:
      secretKeyRef:
        name: {{ .Values.existingSecret }}
        key: token
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  {{- if .Values.gateway.enabled }}
  - name: candor-data
    containerPort: 8080
  {{- end }}
  - name: candor-control
    containerPort: 9090
startupProbe:
  httpGet: { path: /startupz, port: candor-control }
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /livez, port: candor-control }
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: { path: /readyz, port: candor-control }
  periodSeconds: 5
  timeoutSeconds: 2
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  readOnlyRootFilesystem: true
  allowPrivilegeEscalation: false
  capabilities: { drop: [ALL] }
  seccompProfile: { type: RuntimeDefault }
volumeMounts:
  - name: candor-config
    mountPath: /etc/candor
    readOnly: true
  - name: candor-policies
    mountPath: /etc/candor-policies
    readOnly: true
  - name: candor-data
    mountPath: /data
  - name: candor-scratch
    mountPath: /tmp
{{- end }}

{{- define "candor.volumes" -}}
- name: candor-config
  configMap: { name: candor }
- name: candor-policies
  configMap: { name: candor-policies }
- name: candor-data
  {{- if and .Values.gateway.enabled .Values.persistence.existingClaim }}
  persistentVolumeClaim: { claimName: {{ .Values.persistence.existingClaim }} }
  {{- else }}
  emptyDir: { sizeLimit: 1Gi }
  {{- end }}
- name: candor-scratch
  emptyDir: { sizeLimit: 64Mi }
{{- end }}
