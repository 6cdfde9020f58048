// Package fair takes turns: what is scarce, such as workers, or calls that Google grants, goes to tenants in turn. One that asks for a lot
// waits for itself, and one that asks for little waits for at most one turn of each other namespace and of each other project; where a turn
// is several items (Turns), only for those who ask for little and come before, and for a turn of somebody else between each two of them: before come
// the ones whose editor asks in the fewest places, so that a person comes before a tool that changes a little everywhere. Editors are told apart by
// name: of those who have the same, the one comes first that arrived first.
package fair
