package gcp

import (
	"regexp"
	"slices"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
)

var (
	// full is how services say that no more of something is allowed. IAM adds a RetryInfo of a day to it.
	full = regexp.MustCompile(`(?i)\bmaximum number of .+ reached\b|\bresource quota exceeded\b`)
	// perTime is in the names and units of rates: ReadRequestsPerMinutePerProject, 1/min/{project}. It is not in those of numbers of
	// resources: SERVICE-ACCOUNTS-per-project, 1/{project}.
	perTime = regexp.MustCompile(`(?i)per[ _-]?(second|minute|hour|day|[0-9]+s)|/(s|min|h|d)\b`)
)

// isFull says that an answer is about the number of resources, not about the rate of calls: waiting does not help. An answer that could
// be either counts as a rate. https://cloud.google.com/docs/quotas/overview
func (a answer) isFull() bool {
	switch {
	case a.code != codes.ResourceExhausted && a.code != codes.FailedPrecondition:
		return false
	case full.MatchString(a.message):
		return true
	case a.code != codes.ResourceExhausted || slices.ContainsFunc(a.reasons, isThrottling):
		return false
	case slices.Contains(a.reasons, "RESOURCE_QUOTA_EXCEEDED"): // as google.api.ErrorReason has it
		return true
	}
	if unit := a.details.ErrorInfo.GetMetadata()["quota_unit"]; unit != "" {
		return !perTime.MatchString(unit)
	}
	return slices.ContainsFunc(a.details.QuotaFailure.GetViolations(), func(v *errdetails.QuotaFailure_Violation) bool {
		return full.MatchString(v.GetDescription()) || v.GetQuotaId() != "" && !perTime.MatchString(v.GetQuotaId())
	})
}
