package storage

import (
	"slices"
	"strings"
)

// The types of location, as locationType has them.
const (
	region      = "region"
	dualRegion  = "dual-region"
	multiRegion = "multi-region"
)

// regions, multiRegions and dualRegions are the locations of
// https://cloud.google.com/storage/docs/locations.
var regions = strings.Fields(`
	AFRICA-SOUTH1
	ASIA-EAST1 ASIA-EAST2 ASIA-NORTHEAST1 ASIA-NORTHEAST2 ASIA-NORTHEAST3
	ASIA-SOUTH1 ASIA-SOUTH2 ASIA-SOUTHEAST1 ASIA-SOUTHEAST2 ASIA-SOUTHEAST3
	AUSTRALIA-SOUTHEAST1 AUSTRALIA-SOUTHEAST2
	EUROPE-CENTRAL2 EUROPE-NORTH1 EUROPE-NORTH2 EUROPE-SOUTHWEST1
	EUROPE-WEST1 EUROPE-WEST2 EUROPE-WEST3 EUROPE-WEST4 EUROPE-WEST6
	EUROPE-WEST8 EUROPE-WEST9 EUROPE-WEST10 EUROPE-WEST12
	ME-CENTRAL1 ME-CENTRAL2 ME-WEST1
	NORTHAMERICA-NORTHEAST1 NORTHAMERICA-NORTHEAST2 NORTHAMERICA-SOUTH1
	SOUTHAMERICA-EAST1 SOUTHAMERICA-WEST1
	US-CENTRAL1 US-EAST1 US-EAST4 US-EAST5 US-SOUTH1
	US-WEST1 US-WEST2 US-WEST3 US-WEST4`)

var (
	multiRegions = []string{"ASIA", "EU", "US"}
	dualRegions  = []string{"ASIA1", "EUR4", "EUR5", "EUR7", "EUR8", "NAM4"}
)

// pairable are the regions that a bucket's two data locations can be chosen
// from, by the location that the bucket then has.
var pairable = map[string][]string{
	"ASIA": {"ASIA-EAST1", "ASIA-SOUTHEAST1"},
	"AU":   {"AUSTRALIA-SOUTHEAST1", "AUSTRALIA-SOUTHEAST2"},
	"CA":   {"NORTHAMERICA-NORTHEAST1", "NORTHAMERICA-NORTHEAST2"},
	"DE":   {"EUROPE-WEST3", "EUROPE-WEST10"},
	"EU": {
		"EUROPE-CENTRAL2", "EUROPE-NORTH1", "EUROPE-SOUTHWEST1", "EUROPE-WEST1", "EUROPE-WEST3",
		"EUROPE-WEST4", "EUROPE-WEST8", "EUROPE-WEST9",
	},
	"IN": {"ASIA-SOUTH1", "ASIA-SOUTH2"},
	"IT": {"EUROPE-WEST8", "EUROPE-WEST12"},
	"JP": {"ASIA-NORTHEAST1", "ASIA-NORTHEAST2"},
	"US": {
		"US-CENTRAL1", "US-EAST1", "US-EAST4", "US-EAST5", "US-SOUTH1", "US-WEST1", "US-WEST2",
		"US-WEST3", "US-WEST4",
	},
}

// placement is where a bucket is.
type placement struct {
	location, kind string
	// data are the two regions of a configurable dual-region.
	data []string
}

// place decides where a bucket goes from the location and the data locations
// that it was created with.
func place(location string, data []string) (placement, error) {
	location = strings.ToUpper(location)
	if location == "" {
		location = "US"
	}
	if len(data) > 0 {
		return placePair(location, data)
	}
	switch {
	case slices.Contains(multiRegions, location):
		return placement{location: location, kind: multiRegion}, nil
	case slices.Contains(dualRegions, location):
		return placement{location: location, kind: dualRegion}, nil
	case slices.Contains(regions, location):
		return placement{location: location, kind: region}, nil
	default:
		return placement{}, invalidf("The specified location constraint is not valid.")
	}
}

func placePair(location string, data []string) (placement, error) {
	if len(data) != 2 {
		return placement{}, invalidf("Custom placement config must have exactly two data locations.")
	}
	allowed, known := pairable[location]
	if !known {
		return placement{}, invalidf("The specified location constraint is not valid.")
	}
	pair := []string{strings.ToUpper(data[0]), strings.ToUpper(data[1])}
	for _, one := range pair {
		if !slices.Contains(allowed, one) {
			return placement{}, invalidf("The specified location constraint is not valid.")
		}
	}
	if pair[0] == pair[1] {
		return placement{}, invalidf("Custom placement config must have two different data locations.")
	}
	slices.Sort(pair)
	return placement{location: location, kind: dualRegion, data: pair}, nil
}

// storageClasses are the classes that can be asked for, the last three being
// names from the past that still work.
var storageClasses = []string{
	"STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE",
	"MULTI_REGIONAL", "REGIONAL", "DURABLE_REDUCED_AVAILABILITY",
}

// storageClass returns the class as Cloud Storage writes it, and whether
// there is such a class.
func storageClass(name string) (string, bool) {
	upper := strings.ToUpper(name)
	return upper, slices.Contains(storageClasses, upper)
}
