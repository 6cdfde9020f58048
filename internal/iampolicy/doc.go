// Package iampolicy plans the change of a resource's IAM policy. It knows nothing of which resource it works on.
package iampolicy
