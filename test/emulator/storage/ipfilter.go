package storage

import (
	"net"
	"net/netip"
	"regexp"
	"slices"
)

// The permissions that have to do with IP filters.
const (
	getIPFilter    = "storage.buckets.getIpFilter"
	setIPFilter    = "storage.buckets.setIpFilter"
	exemptIPFilter = "storage.buckets.exemptFromIpFilter"
)

// What an IP filter may have at most, see
// https://cloud.google.com/storage/docs/ip-filtering-overview.
const (
	maxIPRanges = 200
	maxNetworks = 25
)

var networkPattern = regexp.MustCompile(`^projects/[^/]+/global/networks/[^/]+$`)

// settleIPFilter checks the IP filter. It has to say whether it applies and,
// if so, whether service agents are let in. A bucket that had a filter keeps
// one, though disabled and empty.
func (c *change) settleIPFilter() error {
	filter := object(c.next, "ipFilter")
	if len(filter) == 0 {
		if object(c.old, "ipFilter") == nil {
			c.drop("ipFilter")
			return nil
		}
		filter = document{"mode": "Disabled"}
	}
	mode := text(filter, "mode")
	_, said := filter["allowAllServiceAgentAccess"]
	switch {
	case mode == "":
		return failf(400, "required", "IP filter mode is required.")
	case mode != "Enabled" && mode != "Disabled":
		return invalidf("Invalid value for: %s is not a valid value", mode)
	case mode == "Enabled" && !said:
		return failf(400, "required", "The IP filter must say whether to allow all service agents access.")
	}
	if err := checkSources(filter); err != nil {
		return err
	}
	c.next["ipFilter"] = merge(document{"allowCrossOrgVpcs": false, "allowAllServiceAgentAccess": false}, filter)
	return nil
}

func checkSources(filter document) error {
	ranges := texts(filter, "publicNetworkSource", "allowedIpCidrRanges")
	networks := list(filter, "vpcNetworkSources")
	for _, item := range networks {
		source, _ := item.(document)
		if !networkPattern.MatchString(text(source, "network")) {
			return invalidf("Invalid VPC network: '%s'.", text(source, "network"))
		}
		ranges = append(ranges, texts(source, "allowedIpCidrRanges")...)
	}
	for _, r := range ranges {
		if prefix, err := netip.ParsePrefix(r); err != nil || prefix != prefix.Masked() {
			return invalidf("Invalid CIDR range: '%s'.", r)
		}
	}
	switch {
	case len(ranges) > maxIPRanges:
		return invalidf("The IP filter has %d IP CIDR ranges. At most %d are allowed.", len(ranges), maxIPRanges)
	case len(networks) > maxNetworks:
		return invalidf("The IP filter has %d VPC networks. At most %d are allowed.", len(networks), maxNetworks)
	}
	return nil
}

// exempt are the methods that somebody with the permission may call from
// anywhere, see https://cloud.google.com/storage/docs/bypass-ip-filter.
var exempt = []string{"buckets.get", "buckets.patch", "buckets.delete"}

// checkOrigin refuses a call from an address that the bucket's IP filter does
// not let in. All callers are on the internet, not in a VPC network.
func (s *Service) checkOrigin(r *request, b *bucket, method string) error {
	if r.console || text(b.Config, "ipFilter", "mode") != "Enabled" {
		return nil
	}
	if slices.Contains(exempt, method) && !s.lacks(r, b.Project, exemptIPFilter) {
		return nil
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err == nil {
		if from, err := netip.ParseAddr(host); err == nil && letsIn(b.Config, from) {
			return nil
		}
	}
	return forbiddenf("There is an IP filtering condition that is preventing access to the resource.")
}

func letsIn(config document, from netip.Addr) bool {
	return slices.ContainsFunc(texts(config, "ipFilter", "publicNetworkSource", "allowedIpCidrRanges"), func(r string) bool {
		prefix, err := netip.ParsePrefix(r)
		return err == nil && prefix.Contains(from)
	})
}

// shown is a bucket as the caller gets to see it: the IP filter needs a
// permission of its own.
func (s *Service) shown(r *request, b *bucket, access bool) document {
	shown := b.render(access)
	if _, filters := shown["ipFilter"]; filters && s.lacks(r, b.Project, getIPFilter) {
		delete(shown, "ipFilter")
	}
	return shown
}

// summed is a bucket as a list shows it: of the IP filter, whether it is
// enabled.
func (s *Service) summed(r *request, b *bucket, access bool) document {
	shown := s.shown(r, b, access)
	if mode := text(shown, "ipFilter", "mode"); mode != "" {
		shown["ipFilter"] = document{"mode": mode}
	}
	return shown
}
