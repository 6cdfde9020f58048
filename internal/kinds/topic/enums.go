package topic

import (
	"fmt"
	"strconv"
)

// The enumerations of the spec are Google's own names, so that one line each way serves them all. Unset is Google's 0,
// …_UNSPECIFIED.

// enumName is the name of an enumeration's value, or its number where this version does not know it.
func enumName[S ~string, E interface {
	~int32
	fmt.Stringer
}](value E) S {
	if value == 0 {
		return ""
	}
	return S(value.String())
}

// enumValue finds a name among the values of an enumeration, or the value whose number the name is: what enumName did not know goes
// back as it came.
func enumValue[E ~int32, S ~string](values map[string]int32, name S) E {
	if value, known := values[string(name)]; known {
		return E(value)
	}
	number, _ := strconv.ParseInt(string(name), 10, 32) // 0 if it is none
	return E(number)
}
