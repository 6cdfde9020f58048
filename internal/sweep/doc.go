// Package sweep schedules the periodic check for drift, project by project. What a check is, it does not know.
package sweep
