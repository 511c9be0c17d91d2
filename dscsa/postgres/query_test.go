package postgres_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/dscsa/query"
)

func TestQueriesFindEventsByWhatTheySayAndPageThrough(t *testing.T) {
	t.Parallel()
	c := setup(t)
	for _, d := range chain(t) {
		c.record(t, d, dscsa.Accept)
	}
	for given, want := range map[string]int{
		"":                                      21,
		"orderDirection=ASC&orderBy=eventTime":  21,
		"orderDirection=ASC&orderBy=recordTime": 21,
		"EQ_bizStep=shipping":                   3,
		"eventType=ObjectEvent&EQ_action=OBSERVE&EQ_disposition=in_transit|returned":                                    3,
		"EQ_eventID=urn:uuid:5f0c1b9e-58a7-4a3b-9a55-2f3d6c7e8a10":                                                      1,
		"MATCH_epc=(01)00369999123450(21)100000000002":                                                                  6,
		"MATCH_parentID=https://example.com/00/003699990000000171":                                                      2,
		"MATCH_anyEPC=urn:epc:id:sscc:0369999.0000000017":                                                               5,
		"MATCH_epc=urn:epc:idpat:sgtin:0369999.512345.*":                                                                5,
		"EQ_bizTransaction_po=urn:epcglobal:cbv:bt:0860001234107:PO-77001":                                              2,
		"EQ_destination_owning_party=urn:epc:id:pgln:0860001234.10|urn:epc:id:sgln:0860001234.10.0&EQ_bizStep=shipping": 2,
		"EXISTS_errorDeclaration=true":                                                                                  0,
		"GE_eventTime=2026-05-11T00:00:00Z&LT_eventTime=2026-05-20T00:00:00Z":                                           2,
		"LT_recordTime=2026-01-01T00:00:00Z":                                                                            0,
		"GE_recordTime=2026-01-01T00:00:00Z":                                                                            21,
	} {
		values, err := url.ParseQuery(given)
		require.NoError(t, err)
		q, err := query.Parse(values)
		require.NoError(t, err, given)
		seen, after := []int64{}, ""
		for {
			found, next, err := c.store.Query(t.Context(), c.tenant, q, nil, after, 3)
			require.NoError(t, err, given)
			for i := range found {
				require.NotContains(t, seen, found[i].Seq, given)
				require.NotEmpty(t, found[i].EventID)
				seen = append(seen, found[i].Seq)
			}
			if q.OrderBy == query.ByRecordTime && len(seen) > 1 {
				require.Equal(t, q.Ascending, seen[0] < seen[1], given)
			}
			if next == "" {
				break
			}
			after = next
		}
		require.Len(t, seen, want, given)
	}
	_, _, err := c.store.Query(t.Context(), c.tenant, query.Query{}, nil, "garbage!", 3)
	require.ErrorIs(t, err, postgres.ErrPlace)

	steps, err := c.store.Names(t.Context(), c.tenant, "bizSteps", "", 100)
	require.NoError(t, err)
	require.Equal(t, []string{"commissioning", "destroying", "dispensing", "holding", "packing", "receiving", "shipping", "unpacking"}, steps)
	epcs, err := c.store.Names(t.Context(), c.tenant, "epcs", pallet, 100)
	require.NoError(t, err)
	require.Len(t, epcs, 16)
	_, err = c.store.Names(t.Context(), c.tenant, "colours", "", 100)
	require.Error(t, err)
}
