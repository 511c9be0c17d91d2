package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/ledger"
)

// F80: the period of a moment is the UTC month, whatever clock it was read
// from. A caller who means a calendar day says the day.
func TestF80ThePeriodIsTheMonthInUTC(t *testing.T) {
	t.Parallel()
	zone := func(hours int) *time.Location { return time.FixedZone("", hours*3600) }
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	london, err := time.LoadLocation("Europe/London")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		at   time.Time
		want string
	}{
		"the last microsecond of a month":         {time.Date(2026, 10, 31, 23, 59, 59, 999_999_000, time.UTC), "2026-10-31"},
		"the first of the next":                   {time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), "2026-11-01"},
		"the last nanosecond of a year":           {time.Date(2026, 12, 31, 23, 59, 59, 999_999_999, time.UTC), "2026-12-31"},
		"new year":                                {time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), "2027-01-01"},
		"a leap second counts as the next minute": {time.Date(2016, 12, 31, 23, 59, 60, 0, time.UTC), "2017-01-01"},
		"29 February":                             {time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC), "2028-02-29"},
		"the day after it":                        {time.Date(2028, 3, 1, 0, 0, 0, 0, time.UTC), "2028-03-01"},
		"28 February of no leap year, and a day":  {time.Date(2027, 2, 28, 24, 0, 0, 0, time.UTC), "2027-03-01"},
		"new year at +14 is not yet":              {time.Date(2027, 1, 1, 0, 0, 0, 0, zone(14)), "2026-12-31"},
		"and there fourteen hours later":          {time.Date(2027, 1, 1, 14, 0, 0, 0, zone(14)), "2027-01-01"},
		"the last evening at -12 is over":         {time.Date(2026, 12, 31, 12, 0, 0, 0, zone(-12)), "2027-01-01"},
		"and at noon before that not":             {time.Date(2026, 12, 31, 11, 59, 59, 0, zone(-12)), "2026-12-31"},
		"the hour that does not exist":            {time.Date(2026, 3, 29, 1, 30, 0, 0, london), "2026-03-29"},
		"the hour that is there twice":            {time.Date(2026, 11, 1, 1, 30, 0, 0, newYork), "2026-11-01"},
		"an evening that is summer time":          {time.Date(2026, 10, 31, 20, 0, 0, 0, newYork), "2026-11-01"},
	} {
		require.Equal(t, c.want, ledger.Date(c.at).Format(time.DateOnly), name)
		require.Equal(t, c.want[:7]+"-01", ledger.PeriodOf(c.at).Format(time.DateOnly), name)
	}
}
