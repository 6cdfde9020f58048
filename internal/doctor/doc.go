// Package doctor judges an installation by what was read of it: what is missing, what is not as this version has it, who leads, and what keeps
// the operator from its work in which project. It is pure: the caller reads the cluster.
package doctor
