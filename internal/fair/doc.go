// Package fair shares what is scarce among tenants: workers, and calls that Google grants. A tenant that asks for a lot waits for itself, and
// one that asks for little waits for at most one turn of each other namespace and of each other project.
package fair
