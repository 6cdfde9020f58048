package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Send sends the request of an exchange to an emulator in the place of the
// host that it was recorded from, and lists where the answer differs. Learned
// has the values of placeholders; what the answer tells of others is added.
func Send(ctx context.Context, emulator *url.URL, x Exchange, learned map[string]string) ([]Difference, error) {
	x, err := x.With(learned)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", x.Name(), err)
	}
	target := *x.URL
	target.Scheme, target.Host = emulator.Scheme, emulator.Host
	request, err := http.NewRequestWithContext(ctx, x.Method, target.String(), strings.NewReader(x.Body))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", x.Name(), err)
	}
	request.Header = x.Header.Clone()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", x.Name(), err)
	}
	body, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", x.Name(), err)
	}
	var differences []Difference
	if response.StatusCode != x.Status {
		differences = append(differences, Difference{"status", strconv.Itoa(x.Status), strconv.Itoa(response.StatusCode)})
	}
	if want, got := x.AnswerHeader.Get("Content-Type"), response.Header.Get("Content-Type"); !sameMediaType(want, got) {
		differences = append(differences, Difference{"Content-Type", want, got})
	}
	return append(differences, Compare(x.Answer, strings.TrimSpace(string(body)), learned)...), nil
}

func sameMediaType(a, b string) bool {
	mediaA, paramsA, errA := mime.ParseMediaType(a)
	mediaB, paramsB, errB := mime.ParseMediaType(b)
	return errA == nil && errB == nil && mediaA == mediaB &&
		strings.EqualFold(paramsA["charset"], paramsB["charset"])
}
