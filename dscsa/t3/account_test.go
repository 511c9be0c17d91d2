package t3_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/gs1"
)

// The shipment is a pallet with a case with unit 1, and unit 2 beside it.
func TestEverythingThatWasShippedIsAccountedFor(t *testing.T) {
	t.Parallel()
	key := func(epc string) string {
		id, err := gs1.Parse(epc)
		require.NoError(t, err)
		return id.Key()
	}
	pallet, carton, one, two, other := key(sscc), key(box), key(unit1), key(unit2), "01/00379999101303/21/9"
	is := func(unit string, kind dscsa.ExceptionKind) dscsa.Exception {
		return dscsa.Exception{Unit: unit, Kind: kind}
	}
	for name, tc := range map[string]struct {
		received []string
		said     []dscsa.Exception
		came     []string
		wrong    []dscsa.Exception
	}{
		"all of it":                     {received: []string{pallet, two}, came: []string{pallet, two}},
		"by package":                    {received: []string{one, two}, came: []string{one, two}},
		"by case":                       {received: []string{carton, two}, came: []string{carton, two}},
		"nothing":                       {wrong: []dscsa.Exception{is(one, dscsa.Shortage), is(two, dscsa.Shortage)}},
		"half of it":                    {received: []string{two}, came: []string{two}, wrong: []dscsa.Exception{is(one, dscsa.Shortage)}},
		"a damaged pallet":              {received: []string{two}, said: []dscsa.Exception{is(pallet, dscsa.Damaged)}, came: []string{two}, wrong: []dscsa.Exception{is(pallet, dscsa.Damaged)}},
		"received and damaged":          {received: []string{pallet, two}, said: []dscsa.Exception{is(two, dscsa.Damaged)}, came: []string{pallet, two}, wrong: []dscsa.Exception{is(two, dscsa.Damaged)}},
		"received and short":            {received: []string{pallet, two}, said: []dscsa.Exception{is(two, dscsa.Shortage)}, came: []string{pallet}, wrong: []dscsa.Exception{is(two, dscsa.Shortage)}},
		"short inside what came":        {received: []string{pallet, two}, said: []dscsa.Exception{is(one, dscsa.Shortage)}, came: []string{pallet, two}, wrong: []dscsa.Exception{is(one, dscsa.Shortage)}},
		"more than was shipped":         {received: []string{pallet, two, other}, came: []string{pallet, two}, wrong: []dscsa.Exception{is(other, dscsa.Overage)}},
		"more, and said so":             {received: []string{pallet, two, other}, said: []dscsa.Exception{is(other, dscsa.Overage)}, came: []string{pallet, two}, wrong: []dscsa.Exception{is(other, dscsa.Overage)}},
		"another one in place of a one": {received: []string{pallet}, said: []dscsa.Exception{is(other, dscsa.WrongSerial), is(two, dscsa.Shortage)}, came: []string{pallet}, wrong: []dscsa.Exception{is(other, dscsa.WrongSerial), is(two, dscsa.Shortage)}},
		"one thing twice":               {received: []string{pallet, two, other, other}, came: []string{pallet, two}, wrong: []dscsa.Exception{is(other, dscsa.Overage)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said := dscsa.Receipt{Received: tc.received, Exceptions: tc.said}
			got := facts().Account(said)
			require.Empty(t, cmp.Diff(tc.came, got.Received, cmpopts.EquateEmpty()))
			require.Empty(t, cmp.Diff(tc.wrong, got.Exceptions, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(dscsa.Exception{}, "Note")))
			require.Equal(t, got, facts().Account(got), "what is accounted for stays so")
		})
	}
}
