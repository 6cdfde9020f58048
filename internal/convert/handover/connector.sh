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
