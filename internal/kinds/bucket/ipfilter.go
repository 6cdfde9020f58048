package bucket

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	raw "google.golang.org/api/storage/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func describeIPFilter(f *IPFilter) *v1alpha1.IPFilter {
	if f == nil {
		return nil
	}
	out := &v1alpha1.IPFilter{
		Mode:                       v1alpha1.IPFilterMode(f.Mode),
		AllowCrossOrgVPCs:          new(f.AllowCrossOrgVPCs),
		AllowAllServiceAgentAccess: new(f.AllowAllServiceAgentAccess),
	}
	if ranges := f.PublicNetworkSource.AllowedIPCIDRRanges; len(ranges) > 0 {
		out.PublicNetworkSource = &v1alpha1.PublicNetworkSource{AllowedIPCIDRRanges: convert[v1alpha1.IPCIDRRange](ranges)}
	}
	for _, source := range f.VPCNetworkSources {
		out.VPCNetworkSources = append(out.VPCNetworkSources, v1alpha1.VPCNetworkSource{
			Network: source.Network, AllowedIPCIDRRanges: convert[v1alpha1.IPCIDRRange](source.AllowedIPCIDRRanges),
		})
	}
	return out
}

// composeNewIPFilter is nil where the filter would let everybody in.
func composeNewIPFilter(f *v1alpha1.IPFilter) *raw.BucketIpFilter {
	if blank := composeIPFilter(nil); jsonOf(composeIPFilter(f)) == jsonOf(blank) {
		return nil
	}
	return composeIPFilter(f)
}

// composeIPFilter writes the whole filter. Google wants to be told each time whether service agents are let in, and keeps lists that are
// not sent. None is written as one that is disabled and empty: Google keeps a filter, once there was one.
// https://cloud.google.com/storage/docs/disable-ip-filtering
func composeIPFilter(f *v1alpha1.IPFilter) *raw.BucketIpFilter {
	want := orZero(f)
	out := &raw.BucketIpFilter{
		Mode: string(cmp.Or(want.Mode, v1alpha1.IPFilterDisabled)),
		PublicNetworkSource: &raw.BucketIpFilterPublicNetworkSource{
			AllowedIpCidrRanges: convert[string](orZero(want.PublicNetworkSource).AllowedIPCIDRRanges),
			ForceSendFields:     []string{"AllowedIpCidrRanges"},
		},
		AllowCrossOrgVpcs:          orZero(want.AllowCrossOrgVPCs),
		AllowAllServiceAgentAccess: orZero(want.AllowAllServiceAgentAccess),
		ForceSendFields:            []string{"VpcNetworkSources", "AllowCrossOrgVpcs", "AllowAllServiceAgentAccess"},
	}
	for _, source := range want.VPCNetworkSources {
		out.VpcNetworkSources = append(out.VpcNetworkSources, &raw.BucketIpFilterVpcNetworkSources{
			Network: source.Network, AllowedIpCidrRanges: convert[string](source.AllowedIPCIDRRanges),
		})
	}
	return out
}

// sameRanges compares lists of ranges by what they let in: neither their order matters nor how an address is written.
func sameRanges(desired, live any) bool {
	return slices.Equal(normalRanges(desired.([]v1alpha1.IPCIDRRange)), normalRanges(live.([]v1alpha1.IPCIDRRange)))
}

// sameNetworks compares lists of networks by what they let in.
func sameNetworks(desired, live any) bool {
	return jsonOf(normalNetworks(desired.([]v1alpha1.VPCNetworkSource))) == jsonOf(normalNetworks(live.([]v1alpha1.VPCNetworkSource)))
}

func normalNetworks(sources []v1alpha1.VPCNetworkSource) []v1alpha1.VPCNetworkSource {
	out := slices.Clone(sources)
	for i := range out {
		out[i].AllowedIPCIDRRanges = normalRanges(out[i].AllowedIPCIDRRanges)
	}
	slices.SortStableFunc(out, func(a, b v1alpha1.VPCNetworkSource) int { return strings.Compare(a.Network, b.Network) })
	return out
}

// normalRanges puts ranges in order, each as it is usually written.
func normalRanges(ranges []v1alpha1.IPCIDRRange) []v1alpha1.IPCIDRRange {
	out := slices.Clone(ranges)
	for i, r := range out {
		if prefix, err := netip.ParsePrefix(string(r)); err == nil {
			out[i] = v1alpha1.IPCIDRRange(prefix.String())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
