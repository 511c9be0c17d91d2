package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPeriodsAreClosedAndReopenedByTwo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	last := time.Now().UTC().AddDate(0, 0, -time.Now().UTC().Day()) // a day of the month before
	month, day := last.Format("2006-01"), last.Format(time.DateOnly)
	move := func(what string) answer {
		return w.ask("finance_preparer", "/v1/periods/"+month+"/"+what, `{"reason":"month end"}`)
	}
	require.Empty(t, w.get("/v1/periods").json(t)["data"])
	require.Equal(t, http.StatusNotFound, w.get("/v1/periods/"+month).status)
	require.Equal(t, "ledger_refused", move("close").code(t))
	w.carriedOut("finance_reviewer", w.proposed(w.ask("finance_preparer", "/v1/ledger/journals", journal("5010", "1010", 465, `"effective_on":"`+day+`",`))))

	w.carriedOut("finance_reviewer", w.proposed(move("soft_close")))
	// Soft-closed: an approved journal still goes in.
	in := w.carriedOut("finance_reviewer", w.proposed(w.ask("finance_preparer", "/v1/ledger/journals", journal("5010", "1010", 35, `"effective_on":"`+day+`",`))))
	require.Equal(t, month, in["period"])
	asked := w.proposed(move("close"))
	require.Equal(t, "already_proposed", move("close").code(t))
	v := w.carriedOut("finance_reviewer", asked)
	require.Equal(t, []any{month, "closed", 1.0}, []any{v["period"], v["state"], v["version"]})
	require.Equal(t, "ledger_refused", move("close").code(t))

	late := w.carriedOut("finance_reviewer", w.proposed(w.ask("finance_preparer", "/v1/ledger/journals", journal("5010", "1010", 1, `"effective_on":"`+day+`",`))))
	require.Equal(t, day, late["effective_on"])
	require.Equal(t, time.Now().UTC().Format("2006-01"), late["period"])

	w.carriedOut("finance_reviewer", w.proposed(move("reopen")))
	w.carriedOut("finance_reviewer", w.proposed(w.ask("finance_preparer", "/v1/ledger/journals", journal("5010", "1010", 500, `"effective_on":"`+day+`",`))))
	w.carriedOut("finance_reviewer", w.proposed(move("close")))
	v = w.get("/v1/periods/" + month).json(t)
	require.InDelta(t, 2, v["version"], 0)
	require.Len(t, v["events"], 4)
	closings, ok := v["closings"].([]any)
	require.True(t, ok)
	require.Len(t, closings, 2)
	require.Contains(t, fmt.Sprint(closings[0]), "debits:500")
	require.Contains(t, fmt.Sprint(closings[1]), "debits:1000")

	current := time.Now().UTC().Format("2006-01")
	a := w.ask("finance_preparer", "/v1/periods/"+current+"/close", `{"reason":"early"}`)
	require.Equal(t, "ledger_refused", a.code(t))
	require.Contains(t, string(a.body), "is not over")
	for _, bad := range []string{"2026-13", "2026-1", "26-01"} {
		require.Equal(t, "validation_failed", w.get("/v1/periods/"+bad).code(t), bad)
	}
	require.Equal(t, http.StatusBadRequest, w.ask("finance_preparer", "/v1/periods/"+month+"/delete", `{"reason":"r"}`).status)
	require.Equal(t, "validation_failed", w.ask("finance_preparer", "/v1/periods/"+month+"/close", `{}`).code(t))
	require.Equal(t, "ledger_refused", w.ask("finance_preparer", "/v1/periods/"+month+"/close", strings.Replace(`{"reason":"r"}`, "{", `{"entity":"emea",`, 1)).code(t))
}
