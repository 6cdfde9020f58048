{{- /* What a shard's objects have after their names. */ -}}
{{- define "holdfast.suffix" -}}
{{- with .Values.shard }}-{{ . }}{{ end -}}
{{- end -}}

{{- define "holdfast.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}
