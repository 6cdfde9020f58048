package v1alpha1

// Labels are the labels of a Google Cloud resource, owned by key: labels that others set stay. Keys begin with a lower-case
// letter; keys and values consist of lower-case letters, digits, _ and -, at most 63 of them, and at most 128 bytes of UTF-8.
// Google allows 64 labels, of which Holdfast needs three to mark the resource's owner.
//
// +kubebuilder:validation:MaxProperties=64
// +kubebuilder:validation:XValidation:rule="size(self) <= 61",message="labels: more than 61 labels; Google allows 64, and Holdfast adds three to mark the resource's owner: remove some"
// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^[\\\\p{Ll}\\\\p{Lo}][\\\\p{Ll}\\\\p{Lo}\\\\p{N}_-]{0,62}$'))",message="labels: a key must begin with a lower-case letter and have at most 63 lower-case letters, digits, _ or -"
// +kubebuilder:validation:XValidation:rule="self.all(k, size(bytes(k)) <= 128)",message="labels: a key must have at most 128 bytes; letters outside of ASCII have two to four bytes each: choose a shorter key"
// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('goog'))",message="labels: keys that begin with goog are reserved by Google; choose another key"
// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('holdfast-'))",message="labels: keys that begin with holdfast- are set by Holdfast itself; choose another key"
type Labels map[string]LabelValue

// LabelValue is the value of a label; it may be empty.
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^[\p{Ll}\p{Lo}\p{N}_-]*$`
// +kubebuilder:validation:XValidation:rule="size(bytes(self)) <= 128",message="a label's value must have at most 128 bytes; letters outside of ASCII have two to four bytes each: choose a shorter value"
type LabelValue string
