package gcp

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"

	"google.golang.org/api/googleapi"
	"k8s.io/utils/lru"
)

const (
	// userProject names the project to bill for a call, in the query of Cloud Storage's JSON API.
	userProject = "userProject"
	// userProjectHeader does the same for any of Google's APIs. Google's libraries put the quota project of the credentials there.
	userProjectHeader = "X-Goog-User-Project"
	// useProject is the permission to have a project billed.
	useProject = "serviceusage.services.use"
	// maxPayers is for how many buckets it is remembered that their requesters pay.
	maxPayers = 10_000
	// maxBucket bounds how much of a bucket is read to see who pays for it, in bytes.
	maxBucket = 1 << 20
)

// payers know which buckets' requesters pay. Google answers calls about such a bucket only if they name a project to bill, but for callers
// who may bill the bucket's project anyway (resourcemanager.projects.createBillingAssignment). So a call that Google refuses for that reason,
// which means that nothing has happened, is repeated with the project that the bucket is in, and so are those that follow.
// https://cloud.google.com/storage/docs/requester-pays
type payers struct {
	known *lru.Cache // of payer to nothing
}

// payer is an account (its e-mail; empty for the manager) for whose calls about a bucket somebody has to pay.
type payer struct{ account, bucket string }

func newPayers() *payers { return &payers{lru.New(maxPayers)} }

// roundTripper names who pays for calls about buckets: nobody, or the project of the bucket, see WithProject. The quota project of the
// credentials is never named: Google would not refuse the call then, and have Holdfast's project pay for the tenants' buckets.
func (p *payers) roundTripper(callOf func(*http.Request) call, next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		c := callOf(req)
		if c.bucket == "" {
			return next.RoundTrip(req)
		}
		who := payer{c.account, c.bucket}
		if _, ok := p.known.Get(who); ok && c.project != "" {
			return p.billed(who, c, req, next)
		}
		resp, err := next.RoundTrip(billing(req, ""))
		if err != nil || c.project == "" || !wantsPayer(resp) {
			return resp, err
		}
		again := req.Clone(req.Context())
		if req.Body != nil {
			if req.GetBody == nil {
				return resp, nil
			}
			if again.Body, err = req.GetBody(); err != nil {
				return resp, nil //nolint:nilerr // the call cannot be repeated, and Google's answer says why it would have to be
			}
		}
		_ = resp.Body.Close()
		p.known.Add(who, nil)
		return p.billed(who, c, again, next)
	})
}

// billed makes a call that the bucket's project pays for, and forgets that it has to if Google's answer shows or leaves open that it has not.
func (p *payers) billed(who payer, c call, req *http.Request, next http.RoundTripper) (*http.Response, error) {
	resp, err := next.RoundTrip(billing(req, c.project))
	if err != nil {
		return nil, err
	}
	if showsBucket(c.method) && !stillPaid(resp) {
		p.known.Remove(who)
	}
	if refusal := refusedUse(resp, c.project); refusal != nil {
		_ = resp.Body.Close()
		return nil, refusal
	}
	return resp, nil
}

// billing is the request with the project to bill; empty for none.
func billing(req *http.Request, project string) *http.Request {
	out := req.Clone(req.Context())
	out.Header.Del(userProjectHeader)
	if project != "" {
		query := out.URL.Query()
		query.Set(userProject, project)
		out.URL.RawQuery = query.Encode()
	}
	return out
}

// unpaid is Google's sentence about a call that names nobody, "Bucket is a requester pays bucket but no user project provided."; its older
// form lacks the article.
var unpaid = regexp.MustCompile(`(?i)\brequester pays bucket\b.*\bno user project\b`)

// wantsPayer says whether Google refused a call because it names no project to bill.
func wantsPayer(resp *http.Response) bool {
	if resp.StatusCode != http.StatusBadRequest {
		return false
	}
	refusal, ok := errors.AsType[*googleapi.Error](googleapi.CheckResponseWithBody(resp, peek(resp, maxPeek)))
	return ok && slices.ContainsFunc(refusal.Errors, func(item googleapi.ErrorItem) bool {
		return item.Reason == "userProjectMissing" || item.Reason == "required" && unpaid.MatchString(item.Message)
	})
}

// refusedUse is the refusal to bill the project, with what Google's sentence leaves out: which project; nil if that is not why the call
// was refused.
func refusedUse(resp *http.Response, project string) *Error {
	if resp.StatusCode != http.StatusForbidden {
		return nil
	}
	refusal := peekRefusal(resp)
	if refusal.Permission != useProject {
		return nil
	}
	refusal.Resource = "projects/" + project
	refusal.Denial = deniedPayer.say(map[string]string{"project": project})
	return refusal
}

// showsBucket says whether a method is answered with the bucket. Each pass begins with one.
func showsBucket(method string) bool {
	return slices.Contains([]string{"buckets.get", "buckets.patch", "buckets.lockRetentionPolicy"}, method)
}

// stillPaid says whether an answer about a bucket leaves it at what is known, that its requesters pay. The bucket says whether they do.
// A refusal may be about the project to bill, and one that finds no bucket is about another bucket of that name, if there will be one.
func stillPaid(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound:
		return false
	case http.StatusOK:
		var bucket struct {
			Billing struct {
				RequesterPays bool `json:"requesterPays"`
			} `json:"billing"`
		}
		return json.Unmarshal(peek(resp, maxBucket), &bucket) != nil || bucket.Billing.RequesterPays
	default:
		return true
	}
}
