# forget takes resources out of Terraform's state, in one go. Those that are out of it already it passes over.
forget() {
	listed=$("${TERRAFORM:-terraform}" state list) || stop "Terraform does not list its state, see above. Mend that, and run this script again" \
		"where Terraform runs."
	given=$#
	for address in "$@"; do
		case "
$listed
" in
		*"
$address
"*) set -- "$@" "$address" ;;
		*) printf '%s is forgotten already\n' "$address" ;;
		esac
	done
	shift "$given"
	[ $# -eq 0 ] || "${TERRAFORM:-terraform}" state rm "$@" || stop "Terraform did not forget them, see above. Mend that, and run this script again."
}
