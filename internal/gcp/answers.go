package gcp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// KeepAnswers decorates the transport of Cloud Storage's client, above everything that counts or limits calls.
//
// Google answers a create and a lock with the bucket, and a change of the IAM policy with the policy, but the client library drops
// the answer. The decorator keeps it and returns it to the read that follows, without calling Google: one write, and the answer as
// the library decodes it. A client without the decorator works too, at the cost of one more read each.
func KeepAnswers(base http.RoundTripper) http.RoundTripper {
	return answerKeeper{base}
}

type answerKeeper struct{ base http.RoundTripper }

type keptAnswer struct{ body []byte }

type keptAnswerKey struct{}

// KeepingAnswer returns the context for one write to Cloud Storage and the read of its answer, see KeepAnswers.
func KeepingAnswer(ctx context.Context) context.Context {
	return context.WithValue(ctx, keptAnswerKey{}, &keptAnswer{})
}

// RoundTrip implements http.RoundTripper.
func (k answerKeeper) RoundTrip(req *http.Request) (*http.Response, error) {
	kept, ok := req.Context().Value(keptAnswerKey{}).(*keptAnswer)
	if ok && req.Method == http.MethodGet && kept.body != nil {
		return kept.replay(req), nil
	}
	resp, err := k.base.RoundTrip(req)
	isWrite := req.Method == http.MethodPost || req.Method == http.MethodPut
	if err != nil || !ok || !isWrite || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	return kept.keep(resp)
}

// keep copies the answer. Half an answer is none: the next read shows whether the write happened.
func (a *keptAnswer) keep(resp *http.Response) (*http.Response, error) {
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	a.body, resp.Body = body, io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// replay returns the kept answer, once.
func (a *keptAnswer) replay(req *http.Request) *http.Response {
	body := a.body
	a.body = nil
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"application/json; charset=UTF-8"}},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       req,
	}
}
