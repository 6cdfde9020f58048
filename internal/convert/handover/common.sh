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
