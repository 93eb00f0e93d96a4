{{/*
What the pods of an application need for the filter in their sidecars. For a chart that has this one
as a dependency; both take this chart's scope: include "pointsman.pod.labels" .Subcharts.pointsman
*/}}
{{- define "pointsman.pod.labels" -}}
{{- $patch := .Files.Get "files/pods.yaml" | fromYaml }}
{{- toYaml $patch.spec.template.metadata.labels }}
{{- end }}

{{- define "pointsman.pod.annotations" -}}
{{- $patch := .Files.Get "files/pods.yaml" | fromYaml }}
{{- $annotations := $patch.spec.template.metadata.annotations }}
{{- if .Values.sidecar.moduleImage }}
{{- $volumes := index $annotations "sidecar.istio.io/userVolume" | fromJsonArray }}
{{- range $volumes }}
{{- if .image }}
{{- $_ := set .image "reference" $.Values.sidecar.moduleImage }}
{{- end }}
{{- end }}
{{- $_ := set $annotations "sidecar.istio.io/userVolume" (toJson $volumes) }}
{{- end }}
{{- toYaml $annotations }}
{{- end }}
