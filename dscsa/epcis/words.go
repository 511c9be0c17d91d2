package epcis

import "strings"

// vocabulary is one standard vocabulary of the Core Business Vocabulary 2.0
// (section 7): its words and what stands before them when they are written as
// URIs.
type vocabulary struct {
	urn   string // urn:epcglobal:cbv:…: (CBV 1.2 section 7), "": has no URNs
	web   string // of https://ref.gs1.org/cbv/… (CBV 2.0 section 7)
	gs1   bool   // is in the GS1 Web Vocabulary, https://gs1.org/voc/…, instead
	words map[string]string
}

// Where the words live.
const (
	cbvWeb = "https://ref.gs1.org/cbv/"
	vocWeb = "https://gs1.org/voc/"
	cbvURN = "urn:epcglobal:cbv:"
)

func words(list string) map[string]string {
	m := map[string]string{}
	for _, w := range strings.Fields(list) {
		m[w] = w
	}
	return m
}

var (
	bizSteps = vocabulary{web: "BizStep-", urn: cbvURN + "bizstep:", words: words(`
		accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting
		decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting
		installing killing loading other packing picking receiving removing repackaging repairing replacing reserving
		retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing transporting
		unloading unpacking void_shipping`)}
	dispositions = vocabulary{web: "Disp-", urn: cbvURN + "disp:", words: words(`
		active available completeness_inferred completeness_verified conformant container_closed container_open damaged
		destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class mismatch_instance
		mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other partially_dispensed
		recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable unknown`)}
	bizTypes = vocabulary{web: "BTT-", urn: cbvURN + "btt:", words: words(`
		bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt`)}
	partyTypes   = vocabulary{web: "SDT-", urn: cbvURN + "sdt:", words: words(`owning_party possessing_party location`)}
	errorReasons = vocabulary{web: "ER-", urn: cbvURN + "er:", words: words(`did_not_occur incorrect_data`)}
	components   = vocabulary{web: "Comp-", words: words(`
		x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting northing latitude
		longitude altitude`)}
	alerts       = vocabulary{gs1: true, words: words(`ALARM_CONDITION ERROR_CONDITION`)}
	measurements = vocabulary{gs1: true, words: words(`
		AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Radioactivity Altitude AmountOfSubstance
		AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance
		Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity
		ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency
		Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux
		LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate
		MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux
		RadiantIntensity RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed SurfaceDensity
		SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber`)}
)

// bare is the word that s stands for: s itself, or what is behind the
// namespace of the vocabulary, which may be a word nobody knows. known says
// whether it is one of the vocabulary.
func (v vocabulary) bare(s string) (word string, known bool) {
	if w, ok := v.words[s]; ok {
		return w, true
	}
	rest, ok := "", false
	if v.urn != "" {
		rest, ok = strings.CutPrefix(s, v.urn)
	}
	if !ok {
		rest, ok = v.webWord(s)
	}
	if !ok || rest == "" || strings.ContainsRune(rest, ':') {
		return s, false
	}
	if w, ok := v.words[rest]; ok {
		return w, true
	}
	return rest, false
}

// The addresses the vocabularies have had since they got any.
var (
	cbvSpaces = []string{"ref.gs1.org/cbv/", "ns.gs1.org/cbv/"}
	vocSpaces = []string{"gs1.org/voc/", "www.gs1.org/voc/", "ref.gs1.org/voc/"}
)

func (v vocabulary) webWord(s string) (string, bool) {
	s, ok := strings.CutPrefix(s, "https://")
	if !ok {
		if s, ok = strings.CutPrefix(s, "http://"); !ok {
			return "", false
		}
	}
	spaces := cbvSpaces
	if v.gs1 {
		spaces = vocSpaces
	}
	for _, space := range spaces {
		if rest, ok := strings.CutPrefix(s, space); ok {
			return strings.CutPrefix(rest, v.web)
		}
	}
	return "", false
}

// word is bare for a format in which anything may stand, also the compact
// URIs of the prefixes in the standard's own context.
func (v vocabulary) word(s string) string {
	if rest, ok := strings.CutPrefix(s, "cbv:"); ok && !v.gs1 {
		s = cbvWeb + rest
	} else if rest, ok := strings.CutPrefix(s, "gs1:"); ok && v.gs1 {
		s = vocWeb + rest
	}
	w, _ := v.bare(s)
	return w
}

// uri is the web URI of a word, and a URI as it is: what the event hash is
// made of (CBV 2.0 section 8.9).
func (v vocabulary) uri(word string) string {
	switch {
	case word == "", strings.ContainsRune(word, ':'):
		return word
	case v.gs1:
		return vocWeb + word
	}
	return cbvWeb + v.web + word
}

// xml is how XML documents write a word: as URN where the vocabulary has
// them, else as compact URI.
func (v vocabulary) xml(word string) string {
	switch {
	case word == "", strings.ContainsRune(word, ':'):
		return word
	case v.gs1:
		return "gs1:" + word
	case v.urn == "":
		return "cbv:" + v.web + word
	}
	return v.urn + word
}

// json is how JSON documents write a word: bare. One that the vocabulary does
// not have would be refused bare and is written as a URI.
func (v vocabulary) json(word string) string {
	switch _, known := v.words[word]; {
	case known, word == "", strings.ContainsRune(word, ':'):
		return word
	case v.gs1:
		return "gs1:" + word
	}
	return v.uri(word)
}
