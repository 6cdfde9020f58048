#!/bin/sh
set -eu

# 1. See what applying the manifests would do: adopt everything, and write nothing.
kubectl holdfast plan -f 'manifests'

# 2. Config Connector makes no periodic change any more, and leaves everything where it is when its objects are deleted. Where git applies them, set both annotations there, too.
kubectl annotate --overwrite storagebucket.storage.cnrm.cloud.google.com logs -n converted cnrm.cloud.google.com/deletion-policy=abandon cnrm.cloud.google.com/reconcile-interval-in-seconds=0
kubectl annotate --overwrite iampolicymember.iam.cnrm.cloud.google.com reads -n converted cnrm.cloud.google.com/deletion-policy=abandon cnrm.cloud.google.com/reconcile-interval-in-seconds=0

# 3. Holdfast adopts what matches, without a write, and holds what differs until somebody approves.
kubectl apply --recursive -f 'manifests'
kubectl wait holdfast --all -n converted --for=condition=Ready --timeout=5m

# 4. Config Connector lets go. Where git applies the objects, remove them there first.
kubectl delete storagebucket.storage.cnrm.cloud.google.com logs -n converted
kubectl delete iampolicymember.iam.cnrm.cloud.google.com reads -n converted
