package api_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/sandbox"
)

// agree approves everything that a company's answer says is pending.
func (w *world) agree(company answer, role string, want int) (last answer) {
	w.Helper()
	ids, ok := company.json(w.T)["pending_approvals"].([]any)
	require.True(w, ok)
	require.NotEmpty(w, ids)
	for _, id := range ids {
		last = w.do(call{method: "POST", path: fmt.Sprintf("/v1/approvals/%s/approve", id), role: role, key: uuid.NewString()})
		require.Equal(w, want, last.status, string(last.body))
	}
	return last
}

func (w *world) partner(id string) map[string]any {
	w.Helper()
	return w.do(call{method: "GET", path: "/v1/partners/" + id, role: "auditor"}).json(w.T)
}

const newcomer = `{"name":"New Pharmacy","role":"dispenser","verified":true,"glns":["0810000009015"],
	"address":{"street":"1 Main St","city":"Dayton","state":"OH","postal_code":"45402","country":"US"},
	"licences":[{"kind":"state_licence","number":"RX-1","state":"OH","valid_from":"2020-01-01","source":"the board"}]}`

// What lets a company trade takes two people: nothing of it counts before the
// second has agreed, and everything does after.
func TestEvidenceTakesTwoPeople(t *testing.T) {
	t.Parallel()
	w := goods(t)
	added := w.do(call{method: "POST", path: "/v1/partners", role: "operator", key: "one", body: newcomer})
	require.Equal(t, http.StatusCreated, added.status, string(added.body))
	v := added.json(t)
	require.Equal(t, false, v["verified"])
	require.Equal(t, "pending_approval", v["verification"])
	require.Equal(t, false, v["authorized"])
	require.Len(t, v["licences"], 1)
	require.Equal(t, "pending_approval", v["licences"].([]any)[0].(map[string]any)["status"])
	require.Contains(t, string(added.body), `"code":"partner_unverified"`)
	require.Contains(t, string(added.body), `"code":"licence_missing"`)

	require.Equal(t, "same_person", w.agree(added, "operator", http.StatusForbidden).code(t))
	w.agree(added, "finance_reviewer", http.StatusForbidden)
	require.Equal(t, false, w.partner("0810000009015")["authorized"])
	w.agree(added, "second_operator", http.StatusOK)
	now := w.partner("0810000009015")
	require.Equal(t, true, now["authorized"])
	require.Equal(t, "verified", now["verification"])
	require.Empty(t, now["pending_approvals"])
	licence := now["licences"].([]any)[0].(map[string]any)
	require.Equal(t, "approved", licence["status"])
	require.Equal(t, v["pending_approvals"].([]any)[0], licence["approval_id"])
	w.agree(added, "recall_operator", http.StatusConflict)
	again := w.do(call{method: "POST", path: "/v1/partners/0810000009015/verification", role: "operator", key: "again", body: `{"role":"dispenser"}`})
	require.Equal(t, "already_verified", again.code(t))
	a := w.do(call{method: "POST", path: "/v1/partners/0810000009015/verification", role: "operator", key: "other", body: `{"role":"wholesaler"}`})
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	require.Equal(t, "dispenser", a.json(t)["role"])
	w.agree(a, "recall_operator", http.StatusOK)
	require.Equal(t, "wholesaler", w.partner("0810000009015")["role"])
}

// What keeps a company from trading takes one person and counts at once, also
// against a licence that was proposed before it.
func TestBadNewsAboutALicenceCountsAtOnce(t *testing.T) {
	t.Parallel()
	w := goods(t)
	say := func(key, kind, from, to string) answer {
		body := `{"kind":"` + kind + `","number":"RX-1001","state":"OH","valid_from":"` + from + `","source":"the board"`
		if to != "" {
			body += `,"expires_on":"` + to + `"`
		}
		a := w.do(call{method: "POST", path: "/v1/partners/" + sandbox.Pharmacy + "/licences", role: "operator", key: key, body: body + "}"})
		require.Equal(t, http.StatusCreated, a.status, string(a.body))
		return a
	}
	require.Equal(t, true, w.partner(sandbox.Pharmacy)["authorized"])
	renewal := say("renewal", "state_licence", "2026-01-01", "2099-12-31")
	require.Equal(t, true, renewal.json(t)["authorized"], "what counted goes on counting")
	twice := w.do(call{
		method: "POST", path: "/v1/partners/" + sandbox.Pharmacy + "/licences", role: "operator", key: "twice",
		body: `{"kind":"state_licence","number":"RX-1001","state":"OH","valid_from":"2026-01-01","source":"the board"}`,
	})
	require.Equal(t, "already_proposed", twice.code(t))
	ended := say("ended", "state_licence", "2020-01-01", "2026-01-31")
	require.Equal(t, false, ended.json(t)["authorized"])
	require.Equal(t, "evidence_superseded", w.agree(renewal, "recall_operator", http.StatusConflict).code(t))
	require.Equal(t, false, w.partner(sandbox.Pharmacy)["authorized"])
	finding := say("finding", "fda_finding", "2026-01-01", "")
	require.Contains(t, string(finding.body), `"kind":"fda_finding"`)
	require.Len(t, finding.json(t)["pending_approvals"], 1, "the renewal only: a finding counts at once")
	lifted := say("lifted", "fda_finding", "2026-01-01", "2026-02-01")
	require.Len(t, lifted.json(t)["pending_approvals"], 2, "that a finding has ended takes two")
}

// The rule holds against whoever has the API's role.
func TestTheRegisterItselfWantsTheApproval(t *testing.T) {
	t.Parallel()
	w := goods(t)
	added := w.do(call{method: "POST", path: "/v1/partners", role: "operator", key: "one", body: newcomer})
	id, approval := fmt.Sprint(added.json(t)["id"]), fmt.Sprint(added.json(t)["pending_approvals"].([]any)[0])
	for name, sql := range map[string]string{
		"verified by itself":           `update custody.partner set verified_at = now(), verified_by = 'me' where tenant_id = $1 and id = $2 and $3 <> ''`,
		"with an open approval":        `update custody.partner set verified_at = now(), verified_by = 'me', approval_id = $3 where tenant_id = $1 and id = $2`,
		"another role":                 `update custody.partner set role = 'manufacturer', approval_id = $3 where tenant_id = $1 and id = $2`,
		"a licence":                    `insert into custody.partner_licence (tenant_id, partner_id, kind, number, valid_from, source, checked_by) select $1, $2, 'state_licence', '1', '2020-01-01', 's', $3::text`,
		"a licence of an approval":     `insert into custody.partner_licence (tenant_id, partner_id, kind, number, state, valid_from, source, checked_by, approval_id) values ($1, $2, 'state_licence', 'RX-1', 'OH', '2020-01-01', 'the board', 'me', $3)`,
		"a finding that ends":          `insert into custody.partner_licence (tenant_id, partner_id, kind, number, valid_from, expires_on, source, checked_by) select $1, $2, 'fda_finding', '1', '2020-01-01', current_date, 's', $3::text`,
		"a company that comes as such": `insert into custody.partner (tenant_id, id, name, role, verified_at, verified_by, created_by, approval_id) select $1, replace($2, 'ptr_0', 'ptr_1'), 'n', 'dispenser', now(), 'me', 'me', $3`,
	} {
		err := pgtenant.Tx(t.Context(), w.db.Pool("app_api"), w.tenant, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, sql, w.tenant, id, approval)
			return err
		})
		var pg *pgconn.PgError
		require.ErrorAs(t, err, &pg, name)
		require.Equal(t, "partner_evidence_approved", pg.ConstraintName, name)
	}
	require.Equal(t, false, w.partner(id)["verified"])
}

// A company that was met in a document is verified in a role, by two people.
func TestACompanyThatWasMetIsVerified(t *testing.T) {
	t.Parallel()
	w := goods(t)
	_, err := w.db.Super().Exec(t.Context(), `with met as (
		insert into custody.partner (tenant_id, id, name, role, created_by) values ($1, 'ptr_00000000000000000000000009', 'Met', 'unknown', 'key') returning id)
		insert into custody.partner_gln (tenant_id, gln, partner_id, place) select $1, '0810000009015', id, 1 from met`, w.tenant)
	require.NoError(t, err)
	a := w.do(call{method: "POST", path: "/v1/partners/0810000009015/verification", role: "recall_operator", key: "one", body: `{"role":"dispenser"}`})
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	require.Equal(t, "pending_approval", a.json(t)["verification"])
	w.agree(a, "operator", http.StatusOK)
	v := w.partner("0810000009015")
	require.Equal(t, "verified", v["verification"])
	require.Equal(t, "dispenser", v["role"])
}
