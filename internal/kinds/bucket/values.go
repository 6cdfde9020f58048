package bucket

import "encoding/json"

// orZero returns the zero value for nil.
func orZero[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// convert turns a list of one kind of string into another; nil stays nil.
func convert[To, From ~string](list []From) []To {
	if list == nil {
		return nil
	}
	out := make([]To, len(list))
	for i, s := range list {
		out[i] = To(s)
	}
	return out
}

// jsonOf writes a value as JSON, in which an empty list and none are the same where they mean the same.
func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // the types of the API are always JSON
	}
	return string(b)
}
