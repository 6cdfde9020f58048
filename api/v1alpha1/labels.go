package v1alpha1

// Labels are labels of a Google Cloud resource, as Google allows them: keys of 1 to 63 and values of up to 63 lower-case
// letters (of any alphabet), digits, - and _. Google allows 64 of them; three are kept for Holdfast's own.
//
// +kubebuilder:validation:MaxProperties=61
// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^[\\\\p{Ll}\\\\p{Lo}][\\\\p{Ll}\\\\p{Lo}\\\\p{N}_-]{0,62}$'))",message="a label's key must begin with a lower-case letter and have at most 63 lower-case letters, digits, - and _"
// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('goog') && !k.startsWith('holdfast-'))",message="labels beginning with goog belong to Google and those beginning with holdfast- to Holdfast: leave them out"
type Labels map[string]LabelValue

// LabelValue is the value of a label.
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^[\p{Ll}\p{Lo}\p{N}_-]*$`
type LabelValue string
