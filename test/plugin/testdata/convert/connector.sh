#!/bin/sh
# It stops at the first command that fails. Run it again then, from its beginning: it passes over what is done already. From the environment it takes
#   ACCEPT_CHANGES=yes  to go on although the manifests do more than adopt what is there, as it is
#   TIMEOUT             how long each manifest may take to become Ready; 5m by default
set -eu
manifests='manifests'

# step says what comes next.
step() { printf '\n%s\n' "$1"; }

# stop ends the script with what is wrong and what to do.
stop() {
	printf '\nStopped: %s\n' "$*" >&2
	exit 1
}

# preview shows what applying the manifests would do, and goes on only where that writes nothing.
preview() {
	code=0
	kubectl holdfast plan -f "$manifests" || code=$?
	case $code in
	0) ;;
	2)
		[ "${ACCEPT_CHANGES-}" = yes ] || stop "the plan above is more than adopting what is there. Make the manifests agree with what is there, and run this" \
			"script again. Or, if that is what you want, let it write, and approve what it holds: ACCEPT_CHANGES=yes sh $0"
		;;
	*) stop "manifests are refused or not valid, or could not be looked at, see above. Mend that, and run this script again." ;;
	esac
}

# ready waits until an object in a namespace is Ready.
ready() {
	kubectl wait "$2" -n "$1" --for=condition=Ready --timeout="${TIMEOUT:-5m}" ||
		stop "$2 in the namespace $1 is not Ready. \`kubectl holdfast status -n $1 ${2%%.*}/${2#*/}\` says why, and how to approve a plan on hold;" \
			"without the name it shows all that is not Ready. Run this script again after that."
}

# policy reads an object's kind and what becomes of its resource when it is deleted; nothing where the object is gone.
policy() {
	kubectl get "$2" -n "$1" --ignore-not-found -o 'jsonpath={.kind} {.metadata.annotations.cnrm\.cloud\.google\.com/deletion-policy}' ||
		stop "$2 in the namespace $1 could not be read, see above. Mend that, and run this script again."
}

# abandon tells Config Connector to leave the resource of an object alone, unless the object is gone.
abandon() {
	found=$(policy "$1" "$2")
	if [ -z "$found" ]; then
		printf '%s in the namespace %s is gone already\n' "$2" "$1"
		return
	fi
	kubectl annotate --overwrite "$2" -n "$1" cnrm.cloud.google.com/deletion-policy=abandon cnrm.cloud.google.com/reconcile-interval-in-seconds=0
}

# release deletes an object of Config Connector, provided that this leaves its resource alone.
release() {
	found=$(policy "$1" "$2")
	case $found in
	'') ;;
	*' abandon') kubectl delete --ignore-not-found "$2" -n "$1" ;;
	*)
		stop "$2 in the namespace $1 is not deleted, since Config Connector would delete its resource in Google Cloud: its annotation" \
			"cnrm.cloud.google.com/deletion-policy is not abandon any more. If git applies the object, set the annotation there. Then run this script again."
		;;
	esac
}

step '1. See what applying the manifests does: it adopts everything, and writes nothing.'
preview

step '2. Config Connector makes no periodic change any more, and leaves everything where it is when its objects are deleted. Where git applies them, set both annotations there, too.'
abandon converted storagebucket.storage.cnrm.cloud.google.com/logs
abandon converted iampolicymember.iam.cnrm.cloud.google.com/ada-reads
abandon converted iampartialpolicy.iam.cnrm.cloud.google.com/team-reads
abandon converted pubsubtopic.pubsub.cnrm.cloud.google.com/orders
abandon converted iamserviceaccount.iam.cnrm.cloud.google.com/checkout
abandon converted iamauditconfig.iam.cnrm.cloud.google.com/storage
abandon converted iampolicy.iam.cnrm.cloud.google.com/publishes

step '3. Holdfast adopts what matches, without a write. All of it has to be Ready before anybody else lets go.'
kubectl apply --recursive -f "$manifests"
ready converted buckets.gcp.holdfast.dev/logs
ready converted projectpolicies.gcp.holdfast.dev/converted-prod
ready converted serviceaccounts.gcp.holdfast.dev/checkout
ready converted topics.gcp.holdfast.dev/orders

step '4. Config Connector lets go. Where git applies the objects, remove them there first.'
release converted storagebucket.storage.cnrm.cloud.google.com/logs
release converted iampolicymember.iam.cnrm.cloud.google.com/ada-reads
release converted iampartialpolicy.iam.cnrm.cloud.google.com/team-reads
release converted pubsubtopic.pubsub.cnrm.cloud.google.com/orders
release converted iamserviceaccount.iam.cnrm.cloud.google.com/checkout
release converted iamauditconfig.iam.cnrm.cloud.google.com/storage
release converted iampolicy.iam.cnrm.cloud.google.com/publishes
