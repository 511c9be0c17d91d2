package epcisapi

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/recourse/recourse/dscsa/epcis"
)

const jsonContext = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"

// collection answers with a list of names.
func (s *server) collection(w http.ResponseWriter, r *http.Request, members []string) {
	media := prefer(r.Header.Values("Accept"), "application/json", "application/ld+json")
	if media == "" {
		s.fail(w, r, unacceptable("Lists are given as application/json."))
		return
	}
	announce(w.Header())
	w.Header().Set("Content-Type", media)
	_ = json.NewEncoder(w).Encode(map[string]any{"@context": jsonContext, "type": "Collection", "member": members})
}

// resources names what is under /epcis.
func (s *server) resources(w http.ResponseWriter, r *http.Request) {
	s.collection(w, r, []string{"capture", "events", "eventTypes", "epcs", "bizSteps", "bizLocations", "readPoints", "dispositions"})
}

func (s *server) eventTypes(w http.ResponseWriter, r *http.Request) {
	s.collection(w, r, []string{
		string(epcis.ObjectEvent), string(epcis.AggregationEvent), string(epcis.TransactionEvent), string(epcis.TransformationEvent), string(epcis.AssociationEvent),
	})
}

// names lists what occurs in the tenant's events, page by page.
func (s *server) names(of Collection) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, limit, err := pageOf(r)
		var after []byte
		if err == nil {
			if after, err = base64.RawURLEncoding.DecodeString(token); err != nil {
				err = ErrPlace
			}
		}
		var found []string
		if err == nil {
			found, err = s.Repository.Names(r.Context(), s.Who(r).Tenant, of, string(after), limit+1)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if len(found) > limit {
			found = found[:limit]
			linkNext(w, r, s.BaseURL, base64.RawURLEncoding.EncodeToString([]byte(found[limit-1])))
		}
		s.collection(w, r, slices.Clip(found))
	}
}
