package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/tenancy"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
)

// journal is a body of POST /v1/ledger/journals: amount from credit to debit.
func journal(debit, credit string, amount int, more ...string) string {
	return fmt.Sprintf(`{"reason":"bank fee of the month","document":"statement 7",%s"entries":[
		{"account_code":"%s","side":"D","amount":%d,"currency":"usd"},
		{"account_code":"%s","side":"C","amount":%d,"currency":"usd"}]}`, strings.Join(more, ""), debit, amount, credit, amount)
}

func (w *world) ask(role, path, body string) answer {
	w.Helper()
	return w.do(call{method: "POST", path: path, role: role, key: uuid.NewString(), body: body})
}

func (w *world) get(path string) answer {
	w.Helper()
	return w.do(call{method: "GET", path: path, role: "auditor"})
}

// proposed is the id of the approval that an answer gave.
func (w *world) proposed(a answer) string {
	w.Helper()
	require.Equal(w, http.StatusCreated, a.status, string(a.body))
	return fmt.Sprint(a.json(w.T)["id"])
}

func (w *world) approve(role, id string) answer {
	w.Helper()
	return w.ask(role, "/v1/approvals/"+id+"/approve", "")
}

// carriedOut approves and returns what that did.
func (w *world) carriedOut(role, id string) map[string]any {
	w.Helper()
	a := w.approve(role, id)
	require.Equal(w, http.StatusOK, a.status, string(a.body))
	result, ok := a.json(w.T)["result"].(map[string]any)
	require.True(w, ok, string(a.body))
	return result
}

func (w *world) posted(code string) int64 {
	w.Helper()
	a := w.get("/v1/accounts/" + code + "/balance?currency=usd")
	if a.status == http.StatusNotFound {
		return 0
	}
	n, ok := a.json(w.T)["posted"].(float64)
	require.True(w, ok, string(a.body))
	return int64(n)
}

func (w *world) exec(sql string, args ...any) {
	w.Helper()
	_, err := w.db.Super().Exec(w.Context(), sql, args...)
	require.NoError(w, err)
}

// reshape does as a superuser what takes a maintenance window.
func (w *world) reshape(sql string) {
	w.Helper()
	w.exec(`begin; select guard.open_maintenance('a test'); ` + sql + `; commit`)
}

func keyID(t *testing.T, text string) string { t.Helper(); return strings.Split(text, "_")[2] }

func TestAJournalIsPostedWhenAnotherPersonApproves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.ask("finance_preparer", "/v1/ledger/journals", journal("5010", "1010", 465, `"ticket":"FIN-12","effective_on":"2026-11-03",`))
	id := w.proposed(a)
	v := a.json(t)
	require.Equal(t, "/v1/approvals/"+id, a.header.Get("Location"))
	require.Equal(t, "ledger.journal", v["action"])
	require.InDelta(t, 465, v["amount"], 0)
	require.Equal(t, "usd", v["currency"])
	require.Equal(t, "FIN-12", v["ticket"])
	require.Zero(t, w.posted("5010"), "asking posts nothing")

	done := w.carriedOut("finance_reviewer", id)
	require.Equal(t, "manual.journal", done["purpose"])
	require.Equal(t, id, done["approval_id"])
	require.Equal(t, keyID(t, w.keys["finance_preparer"]), done["actor"], "who asked is who posts")
	require.Equal(t, "2026-11-03", done["effective_on"])
	require.Equal(t, "2026-11", done["period"])
	require.EqualValues(t, 465, w.posted("5010"))
	got := w.get("/v1/approvals/" + id).json(t)
	require.NotEmpty(t, got["consumed_at"])
	require.Equal(t, "approved", got["decision"])

	off := w.carriedOut("finance_reviewer", w.proposed(w.ask("finance_preparer", "/v1/ledger/journals", journal("5020", "1200", 100, `"kind":"write_off",`))))
	require.Equal(t, "manual.write_off", off["purpose"])

	back := w.ask("finance_preparer", "/v1/ledger/reversals", fmt.Sprintf(`{"transaction_id":"%s","reason":"booked twice"}`, done["id"]))
	reversal := w.proposed(back)
	require.Equal(t, "already_proposed", w.ask("finance_reviewer", "/v1/ledger/reversals", fmt.Sprintf(`{"transaction_id":"%s","reason":"booked twice"}`, done["id"])).code(t))
	undone := w.carriedOut("finance_reviewer", reversal)
	require.Equal(t, done["id"], undone["reverses"])
	require.Equal(t, "manual.reversal", undone["purpose"])
	require.Zero(t, w.posted("5010"))
	again := w.ask("finance_preparer", "/v1/ledger/reversals", fmt.Sprintf(`{"transaction_id":"%s","reason":"booked twice"}`, done["id"]))
	require.Equal(t, "ledger_refused", again.code(t))
	require.Contains(t, string(again.body), "already_reversed")
	require.Equal(t, []string{"/transaction_id"}, pointers(again.json(t)))
	require.Equal(t, http.StatusNotFound, w.ask("finance_preparer", "/v1/ledger/reversals", `{"transaction_id":"txn_`+uuid.NewString()+`","reason":"r"}`).status)

	rejected := w.proposed(w.ask("finance_preparer", "/v1/ledger/journals", journal("5010", "1010", 1)))
	require.Equal(t, "rejected", w.ask("finance_reviewer", "/v1/approvals/"+rejected+"/reject", "").json(t)["decision"])
	require.Equal(t, "already_decided", w.approve("second_finance_reviewer", rejected).code(t))
	require.Zero(t, w.posted("5010"))
}

func TestAProposalIsMadeOnceUnderItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := call{method: "POST", path: "/v1/ledger/journals", role: "finance_preparer", key: "one", body: journal("5010", "1010", 465)}
	first := w.do(c)
	require.Equal(t, http.StatusCreated, first.status)
	again := w.do(c)
	require.Equal(t, first.body, again.body)
	require.Equal(t, "true", again.header.Get("Idempotent-Replayed"))
	require.Equal(t, 1, w.count("approval"))
	c.body = journal("5010", "1010", 466)
	require.Equal(t, "idempotency_key_reused", w.do(c).code(t))
}

func TestAJournalThatCannotBePostedIsRefusedBeforeAnybodyIsAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := journal("5010", "1010", 465)
	for name, c := range map[string]struct{ body, code, pointer string }{
		"unbalanced":          {strings.Replace(good, "465", "466", 1), "journal_invalid", "/entries"},
		"one entry":           {`{"reason":"r","entries":[{"account_code":"5010","side":"D","amount":1,"currency":"usd"}]}`, "journal_invalid", "/entries"},
		"no entry":            {`{"reason":"r","entries":[]}`, "validation_failed", "/entries"},
		"no currency":         {strings.ReplaceAll(good, "usd", "zzz"), "journal_invalid", "/entries/0/currency"},
		"a fraction":          {strings.Replace(good, "465", "4.65", 1), "validation_failed", "/entries/0/amount"},
		"nothing":             {strings.ReplaceAll(good, "465", "0"), "validation_failed", "/entries/0/amount"},
		"no such account":     {journal("5010", "9999", 1), "ledger_refused", "/entries/1/account_code"},
		"no reason":           {strings.Replace(good, `"reason":"bank fee of the month",`, "", 1), "validation_failed", "/reason"},
		"no such side":        {strings.Replace(good, `"D"`, `"debit"`, 1), "validation_failed", "/entries/0/side"},
		"29 Feb of no leap":   {journal("5010", "1010", 1, `"effective_on":"2025-02-29",`), "validation_failed", ""},
		"the day after next":  {journal("5010", "1010", 1, `"effective_on":"2031-01-01",`), "validation_failed", "/effective_on"},
		"a member of its own": {strings.Replace(good, `"reason"`, `"approval":"x","reason"`, 1), "validation_failed", "/approval"},
	} {
		a := w.ask("finance_preparer", "/v1/ledger/journals", c.body)
		require.Equal(t, c.code, a.code(t), "%s: %s", name, a.body)
		if c.pointer != "" {
			require.Contains(t, pointers(a.json(t)), c.pointer, name)
		}
	}
	require.Zero(t, w.count("approval"))
	var books int
	require.NoError(t, w.db.Super().QueryRow(t.Context(), `select count(*) from ledger.journal`).Scan(&books))
	require.Zero(t, books)
}

// F83, first row: maker = checker is refused, also with the right role.
func TestF83WhoProposesDoesNotApprove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.proposed(w.ask("finance_reviewer", "/v1/ledger/journals", journal("5010", "1010", 465)))
	a := w.approve("finance_reviewer", id)
	require.Equal(t, http.StatusForbidden, a.status)
	require.Equal(t, "same_person", a.code(t))
	for _, role := range []string{"finance_preparer", "operator", "marketplace", "auditor", "recall_operator"} {
		require.Equal(t, "forbidden", w.approve(role, id).code(t), role)
	}
	require.Equal(t, http.StatusForbidden, w.ask("marketplace", "/v1/ledger/journals", journal("5010", "1010", 465)).status)
	require.Zero(t, w.posted("5010"))
	require.Zero(t, w.count("approval_decision"))
	w.carriedOut("second_finance_reviewer", id)
}

// F83, second row: two checkers at once have one effect.
func TestF83TwoCheckersAtOnceHaveOneEffect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 5 {
		before := w.posted("5010")
		id := w.proposed(w.ask("finance_preparer", "/v1/ledger/journals", journal("5010", "1010", 465)))
		var wg sync.WaitGroup
		statuses := make([]int, 8)
		for i := range statuses {
			wg.Go(func() {
				statuses[i] = w.approve([]string{"finance_reviewer", "second_finance_reviewer"}[i%2], id).status
			})
		}
		wg.Wait()
		ok := 0
		for _, s := range statuses {
			if s == http.StatusOK {
				ok++
			}
		}
		require.Equal(t, 1, ok, "%v", statuses)
		require.Equal(t, before+465, w.posted("5010"))
	}
}

// F83, third row: an approver who has lost the role before the approval is used
// refuses it: here the second of two finds out.
func TestF83AnApproverWhoLostTheRoleDoesNotCount(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]string{
		"revoked":      `update app.api_key set revoked_at = clock_timestamp() where id = $1`,
		"expired":      `update app.api_key set expires_at = clock_timestamp() where id = $1`,
		"another role": `update app.api_key set role = 'finance_preparer' where id = $1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			conn, err := pgx.Connect(t.Context(), w.db.URL("migrator"))
			require.NoError(t, err)
			require.NoError(t, tenancy.PutTier(t.Context(), conn, tenancy.Tier{Tenant: "ours", Action: "ledger.journal", Currency: "usd", FromAmount: 1000, Checkers: 2}))
			require.ErrorIs(t, tenancy.PutTier(t.Context(), conn, tenancy.Tier{Tenant: "nobody", Action: "ledger.journal", Currency: "usd", FromAmount: 1, Checkers: 2}), tenancy.ErrNoTenant)
			require.NoError(t, conn.Close(t.Context()))
			small := w.ask("finance_preparer", "/v1/ledger/journals", journal("5010", "1010", 999))
			require.InDelta(t, 1, small.json(t)["needed"], 0)
			big := w.ask("finance_preparer", "/v1/ledger/journals", journal("5010", "1010", 1000))
			require.InDelta(t, 2, big.json(t)["needed"], 0)
			id := w.proposed(big)
			first := w.approve("finance_reviewer", id)
			require.Equal(t, http.StatusOK, first.status)
			require.Nil(t, first.json(t)["decision"], "one of two decides nothing")
			require.Equal(t, "same_person", w.approve("finance_reviewer", id).code(t), "nobody counts twice")
			require.Zero(t, w.posted("5010"))

			w.exec(lose, keyID(t, w.keys["finance_reviewer"]))
			second := w.approve("second_finance_reviewer", id)
			require.Equal(t, http.StatusConflict, second.status, string(second.body))
			require.Equal(t, "approver_lost_role", second.code(t))
			require.Zero(t, w.posted("5010"))
			require.Equal(t, 1, w.count("approval_decision"), "the second decision is taken back")

			w.exec(`update app.api_key set revoked_at = null, expires_at = null, role = 'finance_reviewer' where id = $1`, keyID(t, w.keys["finance_reviewer"]))
			w.carriedOut("second_finance_reviewer", id)
			require.EqualValues(t, 1000, w.posted("5010"))
		})
	}
}

// F83, fourth row: an approval is used once, whoever tries again.
func TestF83AnApprovalIsUsedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.proposed(w.ask("finance_preparer", "/v1/ledger/journals", journal("5010", "1010", 465)))
	c := call{method: "POST", path: "/v1/approvals/" + id + "/approve", role: "finance_reviewer", key: "one"}
	first := w.do(c)
	require.Equal(t, http.StatusOK, first.status)
	replay := w.do(c)
	require.Equal(t, first.body, replay.body, "the same request has the same answer")
	require.Equal(t, "already_decided", w.approve("finance_reviewer", id).code(t))
	require.Equal(t, "already_decided", w.approve("second_finance_reviewer", id).code(t))
	require.EqualValues(t, 465, w.posted("5010"))

	w.asAPI(`select app.consume_approval($1, $2, 'ledger.journal', (select payload_sha256 from app.approval where id = $2))`, "already_used", w.tenant, id)
}

// F83, fifth row: content that was changed after the request is refused.
func TestF83ChangedContentIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.proposed(w.ask("finance_preparer", "/v1/ledger/journals", journal("5010", "1010", 465)))
	_, err := w.db.Super().Exec(t.Context(), `update app.approval set payload = jsonb_set(payload, '{entries,0,amount}', '466') where id = $1`, id)
	require.ErrorContains(t, err, "never changed", "not even a superuser by accident")
	w.reshape(`alter table app.approval disable trigger approval_guard`)
	w.exec(`update app.approval set payload = replace(payload::text, '465', '999999')::jsonb where id = $1`, id)
	w.reshape(`alter table app.approval enable always trigger approval_guard`)
	a := w.approve("finance_reviewer", id)
	require.Equal(t, http.StatusConflict, a.status)
	require.Equal(t, "approval_changed", a.code(t))
	require.Zero(t, w.posted("5010"))
	require.Zero(t, w.count("approval_decision"))
}

func TestAnApprovalExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.proposed(w.ask("finance_preparer", "/v1/ledger/journals", journal("5010", "1010", 465)))
	var lives time.Duration
	require.NoError(t, w.db.Super().QueryRow(t.Context(), `select expires_at - made_at from app.approval where id = $1`, id).Scan(&lives))
	require.Equal(t, 24*time.Hour, lives)
	w.reshape(`alter table app.approval disable trigger approval_guard`)
	w.exec(`update app.approval set expires_at = clock_timestamp() where id = $1`, id)
	require.Equal(t, "already_decided", w.approve("finance_reviewer", id).code(t))
	require.Zero(t, w.posted("5010"))
}

func TestARefusalOfTheBooksTakesTheDecisionBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	open := `{"code":"2500","name":"Gift cards","type":"liability","currency":"usd","floor":0,"ceiling":1000,"reason":"new product"}`
	w.carriedOut("finance_reviewer", w.proposed(w.ask("finance_preparer", "/v1/accounts", open)))
	first := w.proposed(w.ask("finance_preparer", "/v1/ledger/journals", journal("1010", "2500", 600)))
	second := w.proposed(w.ask("finance_preparer", "/v1/ledger/journals", journal("1010", "2500", 500)))
	w.carriedOut("finance_reviewer", first)
	a := w.approve("finance_reviewer", second)
	require.Equal(t, http.StatusConflict, a.status)
	require.Equal(t, "ledger_refused", a.code(t))
	require.Contains(t, string(a.body), "ceiling_breached")
	require.Nil(t, w.get("/v1/approvals/" + second).json(t)["decision"])
	require.EqualValues(t, 600, w.posted("2500"))
	require.Equal(t, "rejected", w.ask("finance_reviewer", "/v1/approvals/"+second+"/reject", "").json(t)["decision"])
}

func TestAccountsAreOpenedAndClosedByTwo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	open := `{"code":"2500","name":"Gift cards","type":"liability","currency":"usd","reason":"new product"}`
	id := w.proposed(w.ask("finance_preparer", "/v1/accounts", open))
	require.Equal(t, "already_proposed", w.ask("finance_preparer", "/v1/accounts", open).code(t))
	a := w.carriedOut("finance_reviewer", id)
	require.Equal(t, "2500", a["code"])
	require.Equal(t, "C", a["normal_side"])
	require.Equal(t, "ledger_refused", w.ask("finance_preparer", "/v1/accounts", open).code(t))

	w.carriedOut("finance_reviewer", w.proposed(w.ask("finance_preparer", "/v1/ledger/journals", journal("1010", "2500", 600))))
	full := w.ask("finance_preparer", "/v1/accounts/2500/close", `{"reason":"product ends"}`)
	require.Equal(t, "ledger_refused", full.code(t))
	require.Contains(t, string(full.body), "zero")
	w.carriedOut("finance_reviewer", w.proposed(w.ask("finance_preparer", "/v1/ledger/journals", journal("2500", "1010", 600))))
	closed := w.carriedOut("finance_reviewer", w.proposed(w.ask("finance_preparer", "/v1/accounts/"+fmt.Sprint(a["id"])+"/close", `{"reason":"product ends"}`)))
	require.NotEmpty(t, closed["closed_at"])
	require.Contains(t, string(w.ask("finance_preparer", "/v1/ledger/journals", journal("1010", "2500", 1)).body), "account_closed")

	// The same code in another currency, and in another legal entity.
	w.carriedOut("finance_reviewer", w.proposed(w.ask("finance_preparer", "/v1/accounts", strings.Replace(open, "usd", "eur", 1))))
	require.Equal(t, "validation_failed", w.get("/v1/accounts/2500/balance").code(t))
	require.Equal(t, "validation_failed", w.ask("finance_preparer", "/v1/accounts/2500/close", `{"reason":"r"}`).code(t))
	w.openBook("emea")
	w.carriedOut("finance_reviewer", w.proposed(w.ask("finance_preparer", "/v1/accounts", strings.Replace(open, `"code"`, `"entity":"emea","code"`, 1))))
	require.Len(t, w.get("/v1/accounts?entity=emea").json(t)["data"], 1)
	list, ok := w.get("/v1/accounts?currency=usd").json(t)["data"].([]any)
	require.True(t, ok)
	require.Len(t, list, 17, "the standard chart and one more")
}

func TestABalanceIsShownAsOfAnyMoment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var moments []string
	for range 3 {
		w.carriedOut("finance_reviewer", w.proposed(w.ask("finance_preparer", "/v1/ledger/journals", journal("1010", "4010", 100))))
		var at time.Time
		require.NoError(t, w.db.Super().QueryRow(t.Context(), `select max(recorded_at) from ledger.journal`).Scan(&at))
		moments = append(moments, at.UTC().Format("2006-01-02T15:04:05.000000Z"))
	}
	for i, at := range moments {
		v := w.get("/v1/accounts/4010/balance?at=" + at).json(t)
		require.InDelta(t, 100*(i+1), v["posted"], 0)
		require.InDelta(t, i+1, v["seq"], 0)
	}
	require.InDelta(t, 0, w.get("/v1/accounts/4010/balance?at=2020-01-01T00:00:00Z").json(t)["posted"], 0)
	require.Equal(t, "validation_failed", w.get("/v1/accounts/4010/balance?at=2999-01-01T00:00:00Z").code(t))
	now := w.get("/v1/accounts/4010/balance").json(t)
	require.InDelta(t, 300, now["available"], 0)
	require.Equal(t, http.StatusNotFound, w.get("/v1/accounts/4011/balance").status)

	// Held: 40 out of cash, and out of what is owed to customers.
	hold := ledgertest.Transfer(uuid.New(), ledger.CustomerDeposits, ledger.CashBank, 40)
	hold.Kind = ledger.Pending
	results, err := ledgerpg.New(w.db.Pool("app_worker")).Post(t.Context(), ledger.Main(w.tenant), []ledger.Transaction{hold})
	require.NoError(t, err)
	require.NoError(t, results[0].Err())
	for code, want := range map[string][]float64{"1010": {300, -40, 260}, "2010": {0, -40, -40}, "4010": {300, 0, 300}} {
		v := w.get("/v1/accounts/" + code + "/balance").json(t)
		require.Equal(t, []any{want[0], want[1], want[2]}, []any{v["posted"], v["pending"], v["available"]}, code)
	}
	before := w.get("/v1/accounts/1010/balance?at=" + moments[2]).json(t)
	require.InDelta(t, 0, before["pending"], 0)
	list, ok := w.get("/v1/accounts").json(t)["data"].([]any)
	require.True(t, ok)
	cash, ok := list[0].(map[string]any)
	require.True(t, ok)
	require.Equal(t, []any{"1010", 300.0, -40.0, 260.0}, []any{cash["code"], cash["posted"], cash["pending"], cash["available"]})
}

// asAPI runs a function of the database as the API's role and requires its word.
func (w *world) asAPI(sql, want string, args ...any) {
	w.Helper()
	conn, err := pgx.Connect(w.Context(), w.db.URL("app_api"))
	require.NoError(w, err)
	defer func() { require.NoError(w, conn.Close(w.Context())) }()
	var got string
	require.NoError(w, pgx.BeginFunc(w.Context(), conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(w.Context(), `select set_config('app.tenant', $1, true)`, w.tenant.String()); err != nil {
			return err
		}
		return tx.QueryRow(w.Context(), sql, args...).Scan(&got)
	}))
	require.Equal(w, want, got)
}

// openBook opens the books of another legal entity of the keys' tenant.
func (w *world) openBook(entity string) {
	w.Helper()
	conn, err := pgx.Connect(w.Context(), w.db.URL("migrator"))
	require.NoError(w, err)
	defer func() { _ = conn.Close(context.WithoutCancel(w.Context())) }()
	opened, err := tenancy.OpenBook(w.Context(), conn, "ours", entity)
	require.NoError(w, err)
	require.True(w, opened)
	opened, err = tenancy.OpenBook(w.Context(), conn, "ours", entity)
	require.NoError(w, err)
	require.False(w, opened, "they are open")
}

// Nobody opens books by naming them: neither by posting nor by asking people.
func TestBooksAreNotOpenedByTheirName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const account = `{"entity":"emea","code":"2500","name":"Gift cards","type":"liability","currency":"usd","reason":"new product"}`
	fee := strings.Replace(transfer, "{", `{"entity":"emea",`, 1)
	key := uuid.NewString()
	posting := w.post(key, fee)
	for name, a := range map[string]answer{
		"a posting":             posting,
		"a journal":             w.ask("finance_preparer", "/v1/ledger/journals", journal("5010", "1010", 465, `"entity":"emea",`)),
		"an account":            w.ask("finance_preparer", "/v1/accounts", account),
		"an account to close":   w.ask("finance_preparer", "/v1/accounts/1010/close", `{"entity":"emea","reason":"r"}`),
		"the chart of accounts": w.get("/v1/accounts?entity=emea"),
		"a balance":             w.get("/v1/accounts/1010/balance?entity=emea"),
	} {
		require.Equal(t, "entity_unknown", a.code(t), name)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, name)
		require.Contains(t, string(posting.body), "not open")
	}
	var books, approvals int
	require.NoError(t, w.db.Super().QueryRow(t.Context(), `select (select count(*) from ledger.book), (select count(*) from app.approval)`).Scan(&books, &approvals))
	require.Zero(t, books)
	require.Zero(t, approvals, "nobody was asked")

	w.openBook("emea")
	require.Equal(t, http.StatusOK, w.get("/v1/accounts?entity=emea").status)
	require.Equal(t, http.StatusCreated, w.post(key, fee).status, "the same key")
	w.carriedOut("finance_reviewer", w.proposed(w.ask("finance_preparer", "/v1/accounts", account)))
	require.Equal(t, http.StatusOK, w.get("/v1/accounts").status, "the first books need no opening")
}

// What is refused opens no currency.
func TestARefusedPostingLeavesTheChartAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refused := w.post(uuid.NewString(), `{"purpose":"order.fee","reason":"a fee","entries":[
		{"account_code":"1020","side":"D","amount":700,"currency":"jpy"},{"account_code":"9999","side":"C","amount":700,"currency":"jpy"}]}`)
	require.Equal(t, "ledger_refused", refused.code(t))
	require.Contains(t, string(refused.body), "9999 jpy")
	require.Empty(t, w.get("/v1/accounts").json(t)["data"])
}
