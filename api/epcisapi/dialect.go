package epcisapi

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/recourse/recourse/dscsa/epcis"
)

// What is spoken here.
const (
	epcisMin, epcisMax = "1.2", "2.0.0"
	cbvMin, cbvMax     = "1.2", "2.0.0"

	maxDocument = 64 << 20 // bytes of one capture

	defaultPage, maxPage = 30, 1000
)

// announce sets the headers by which a client learns what is spoken.
func announce(h http.Header) {
	h.Set("GS1-EPCIS-Version", epcisMax)
	h.Set("GS1-CBV-Version", cbvMax)
}

// discover answers OPTIONS.
func discover(allow string, capture bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		announce(h)
		h.Set("Allow", allow)
		h.Set("GS1-EPCIS-Min", epcisMin)
		h.Set("GS1-EPCIS-Max", epcisMax)
		h.Set("GS1-CBV-Min", cbvMin)
		h.Set("GS1-CBV-Max", cbvMax)
		h.Set("GS1-EPC-Format", "No_Preference, Always_GS1_Digital_Link, Always_EPC_URN, Never_Translates")
		h.Set("GS1-CBV-XML-Format", "Always_URN")
		if capture {
			limits(h)
			h.Set("GS1-Capture-Error-Behaviour", "all")
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

// An answer's form.
type form struct {
	format  epcis.Format
	media   string
	spelled string // GS1-EPC-Format
}

// formOf negotiates the form of events: JSON unless the client asks for XML,
// and XML of the version it asks for.
func formOf(r *http.Request) (form, error) {
	f := form{spelled: r.Header.Get("GS1-EPC-Format")}
	switch f.spelled {
	case "":
		f.spelled = "Always_GS1_Digital_Link"
	case "No_Preference":
		f.spelled = "Never_Translates"
	case "Always_GS1_Digital_Link", "Always_EPC_URN", "Never_Translates":
	default:
		return form{}, unacceptable("GS1-EPC-Format is No_Preference, Always_GS1_Digital_Link, Always_EPC_URN or Never_Translates.")
	}
	switch x := r.Header.Get("GS1-CBV-XML-Format"); x {
	case "", "No_Preference", "Always_URN":
	default:
		return form{}, unacceptable("In XML, words of the CBV are given as URNs: GS1-CBV-XML-Format is Always_URN or No_Preference.")
	}
	switch media := prefer(r.Header.Values("Accept"), "application/json", "application/ld+json", "application/xml", "text/xml"); media {
	case "application/json", "application/ld+json":
		f.format, f.media = epcis.JSON20, media
	case "application/xml", "text/xml":
		f.format, f.media = epcis.XML20, media
		if strings.HasPrefix(r.Header.Get("GS1-EPCIS-Max"), "1.") {
			f.format = epcis.XML12
		}
	default:
		return form{}, unacceptable("Events are given as application/json, application/ld+json, application/xml or text/xml.")
	}
	return f, nil
}

// prefer picks the offered type that Accept wants most, the first of equals;
// "" when it wants none.
func prefer(accept []string, offered ...string) string {
	if len(accept) == 0 {
		return offered[0]
	}
	best, weight := "", 0.0
	for _, offer := range offered {
		if q := quality(strings.Join(accept, ","), offer); q > weight {
			best, weight = offer, q
		}
	}
	return best
}

// quality is the weight of the most specific range that holds the type (RFC
// 9110 section 12.5.1).
func quality(accept, offer string) float64 {
	q, specific := 0.0, -1
	major, _, _ := strings.Cut(offer, "/")
	for part := range strings.SplitSeq(accept, ",") {
		media, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		how := map[string]int{"*/*": 0, major + "/*": 1, offer: 2}
		level, ok := how[media]
		if !ok || level < specific {
			continue
		}
		weight := 1.0
		if given, err := strconv.ParseFloat(parameters["q"], 64); err == nil {
			weight = given
		}
		q, specific = weight, level
	}
	return q
}

// pageOf reads perPage and nextPageToken, which are no part of the query.
func pageOf(r *http.Request) (after string, limit int, err error) {
	v := r.URL.Query()
	limit = defaultPage
	if given := v.Get("perPage"); given != "" {
		limit, err = strconv.Atoi(given)
		if err != nil || limit < 1 {
			return "", 0, wrongParameter("perPage: must be a whole number above 0")
		}
		limit = min(limit, maxPage)
	}
	return v.Get("nextPageToken"), limit, nil
}

// linkNext names the next page.
func linkNext(w http.ResponseWriter, r *http.Request, base, next string) {
	if next == "" {
		return
	}
	v := r.URL.Query()
	v.Set("nextPageToken", next)
	w.Header().Set("Link", "<"+base+r.URL.EscapedPath()+"?"+v.Encode()+`>; rel="next"`)
}
