package planserver

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/apis/apiserver/install"
	"k8s.io/apiserver/pkg/apis/apiserver/validation"
	authenticationcel "k8s.io/apiserver/pkg/authentication/cel"
)

// ReadIssuers reads from a file who signs the tokens of those who may ask for plans, and as whom each asks: an AuthenticationConfiguration of
// apiserver.config.k8s.io, as kube-apiserver reads it, of which only jwt is allowed. What would take a token for more than it says is refused.
func ReadIssuers(file string) ([]apiserver.JWTAuthenticator, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the administrator names it
	if err != nil {
		return nil, err
	}
	issuers, err := parseIssuers(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return issuers, nil
}

func parseIssuers(text []byte) ([]apiserver.JWTAuthenticator, error) {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDecoder()
	decoded, err := runtime.Decode(decoder, text)
	if err != nil {
		return nil, err
	}
	config, ok := decoded.(*apiserver.AuthenticationConfiguration)
	if !ok {
		return nil, fmt.Errorf("it is %T: want an AuthenticationConfiguration of apiserver.config.k8s.io/v1", decoded)
	}
	if len(config.JWT) == 0 {
		return nil, errors.New("jwt: names no issuer")
	}
	found := validation.ValidateAuthenticationConfiguration(authenticationcel.NewDefaultCompiler(), config, nil)
	if config.Anonymous != nil {
		found = append(found, field.Forbidden(field.NewPath("anonymous"), "nobody gets a plan without a token"))
	}
	for i, issuer := range config.JWT {
		found = append(found, overreaches(issuer, field.NewPath("jwt").Index(i))...)
	}
	return config.JWT, found.ToAggregate()
}

// reserved begins the names of users and groups that are Kubernetes' own.
const reserved = "system:"

// overreaches are what the Kubernetes API server would allow, and what is not to be allowed here.
func overreaches(issuer apiserver.JWTAuthenticator, at *field.Path) field.ErrorList {
	var found field.ErrorList
	for i, audience := range issuer.Issuer.Audiences {
		if strings.Contains(audience, "kubernetes.default.svc") {
			found = append(found, field.Invalid(at.Child("issuer", "audiences").Index(i), audience,
				"is the Kubernetes API server's own: whoever gets such a token can use it there, too"))
		}
	}
	if issuer.Issuer.EgressSelectorType != "" {
		found = append(found, field.Forbidden(at.Child("issuer", "egressSelectorType"), "only the Kubernetes API server has egress selectors"))
	}
	mappings := issuer.ClaimMappings
	for name, mapping := range map[string]apiserver.PrefixedClaimOrExpression{"username": mappings.Username, "groups": mappings.Groups} {
		if mapping.Prefix != nil && strings.HasPrefix(*mapping.Prefix, reserved) {
			found = append(found, field.Invalid(at.Child("claimMappings", name, "prefix"), *mapping.Prefix,
				"names that begin so are Kubernetes' own"))
		}
	}
	if mappings.Groups.Claim != "" {
		found = append(found, field.Forbidden(at.Child("claimMappings", "groups", "claim"),
			"it would be looked up wherever a token says; use an expression such as claims.groups"))
	}
	for name, mapping := range map[string]apiserver.PrefixedClaimOrExpression{"username": mappings.Username, "groups": mappings.Groups} {
		if claim := nameWithoutID(issuer, mapping); claim != "" {
			found = append(found, field.Invalid(at.Child("claimMappings", name), claim,
				"is the name of a repository, which somebody else may have tomorrow: use or check its id, such as claims.repository_id"))
		}
	}
	return found
}

// The claims by which GitHub and GitLab name a repository, alone or as a part of something, and those that stay with it.
var (
	names = regexp.MustCompile(`\b(sub|repository|repository_owner|job_workflow_ref|workflow_ref|project_path|namespace_path|ci_config_ref_uri)\b`)
	ids   = regexp.MustCompile(`\b(repository_id|repository_owner_id|project_id|namespace_id)\b`)
	// forges are the issuers whose sub is made of such names.
	forges = regexp.MustCompile(`^https://(token\.actions\.githubusercontent\.com|gitlab\.com)(/|$)`)
)

// nameWithoutID is the claim by which a repository of whatever id becomes a user, or one of a group; empty for none.
func nameWithoutID(issuer apiserver.JWTAuthenticator, mapping apiserver.PrefixedClaimOrExpression) string {
	name := names.FindString(mapping.Claim + " " + mapping.Expression)
	if name == "" || name == "sub" && !forges.MatchString(issuer.Issuer.URL) {
		return ""
	}
	said := []string{mapping.Claim, mapping.Expression}
	for _, rule := range issuer.ClaimValidationRules {
		said = append(said, rule.Claim, rule.Expression)
	}
	if ids.MatchString(strings.Join(said, " ")) {
		return ""
	}
	return name
}
