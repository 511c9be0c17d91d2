package epcis_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/epcis"
)

func TestBatch(t *testing.T) {
	t.Parallel()
	const cbv, us = "urn:epcglobal:cbv:mda", "http://epcis.gs1us.org/hc/ns"
	field := func(space, local, value string) epcis.Field {
		return epcis.Field{Name: epcis.Name{Space: space, Local: local}, Value: value}
	}
	for name, c := range map[string]struct {
		ilmd, beside []epcis.Field
		lot, expiry  string
		found        bool
	}{
		"none":    {},
		"in ILMD": {ilmd: []epcis.Field{field(cbv, "lotNumber", " A1\n"), field("urn:x", "itemExpirationDate", "2028-01-31")}, lot: "A1", expiry: "2028-01-31"},
		"beside, as in EPCIS 1.0": {
			beside: []epcis.Field{field(us, "unitOfMeasure", "Btl"), field(us, "lotNumber", "A1"), field(us, "itemExpirationDate", "2028-01-31")},
			lot:    "A1", expiry: "2028-01-31", found: true,
		},
		"beside, in JSON":          {beside: []epcis.Field{field(us+"#", "lotNumber", "A1"), field(us+"#", "itemExpirationDate", "2028-01-31")}, lot: "A1", expiry: "2028-01-31", found: true},
		"each its own place":       {ilmd: []epcis.Field{field(cbv, "lotNumber", "A1")}, beside: []epcis.Field{field(us, "itemExpirationDate", "2028-01-31")}, lot: "A1", expiry: "2028-01-31", found: true},
		"ILMD before what else is": {ilmd: []epcis.Field{field(cbv, "lotNumber", "A1")}, beside: []epcis.Field{field(us, "lotNumber", "B2")}, lot: "A1"},
		"the first of two":         {ilmd: []epcis.Field{field(cbv, "lotNumber", "A1"), field(cbv, "lotNumber", "B2")}, lot: "A1"},
		"of no guideline":          {beside: []epcis.Field{field("urn:vendor", "lotNumber", "A1"), field(cbv, "lotNumber", "A1")}},
	} {
		e := epcis.Event{ILMD: c.ilmd, Extensions: c.beside}
		lot, expiry, beside := e.Batch()
		require.Equal(t, c.lot, lot, name)
		require.Equal(t, c.expiry, expiry, name)
		require.Equal(t, c.found, beside, name)
	}
}
