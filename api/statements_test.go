package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/gs1"
	"github.com/recourse/recourse/internal/apidb"
	"github.com/recourse/recourse/internal/sandbox"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
)

// counting counts the statements a pool sends, alone or together.
type counting struct{ n atomic.Int64 }

func (c *counting) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}
func (*counting) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (*counting) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (c *counting) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) { c.n.Add(1) }
func (*counting) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)       {}

// Whatever is read takes as many statements of a tenant with a hundred of
// everything as of one with one: no route asks once for each item it shows.
func TestNoRouteAsksOnceForEachItem(t *testing.T) {
	t.Parallel()
	w := goods(t)
	cfg, err := pgxpool.ParseConfig(w.db.URL("app_api"))
	require.NoError(t, err)
	counter := &counting{}
	cfg.ConnConfig.Tracer = counter
	w.pool, err = pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(w.pool.Close)
	w.server = w.on(apidb.New(w.pool), nil)
	books := ledgerpg.New(w.db.Pool("app_worker"))

	add := func(n int) {
		must := func(role, path, body string) {
			a := w.do(call{method: "POST", path: path, role: role, key: uuid.NewString(), body: body})
			require.Less(t, a.status, 300, "%s: %s", path, a.body)
		}
		w.book(fmt.Sprint("A-", n))
		must("operator", "/v1/partners", fmt.Sprintf(`{"name":"Company %d","role":"dispenser","glns":["%s"],"address":{"street":"1 Main St","city":"Austin","state":"TX","postal_code":"78701","country":"US"}}`,
			n, fmt.Sprintf("081000001%03d%c", n, gs1.CheckDigit(fmt.Sprintf("081000001%03d", n)))))
		ndc := fmt.Sprintf("69999-%03d-01", n)
		gtin, err := gs1.GTINOf(ndc, '0')
		require.NoError(t, err)
		must("operator", "/v1/products", fmt.Sprintf(`{"gtin":"%s","ndc":"%s","name":"Drug %d","strength":"1 mg","dosage_form":"TABLET","container_size":"30","manufacturer":"Maker"}`,
			gtin, ndc, n))
		must("operator", "/v1/quarantines", fmt.Sprintf(`{"class":"suspect","units":["(01)%s(21)%d"],"reason":"r"}`, sandbox.Drug, 100000000000+n))
		must("operator", "/v1/investigations", fmt.Sprintf(`{"company":"%s","suspicion":"stolen","summary":"s","units":["(01)%s(21)%d"]}`,
			sandbox.Wholesaler, sandbox.Controlled, 100000000000+n))
		must("operator", "/v1/legal_holds", `{"everything":true,"reason":"r"}`)
		must("finance_preparer", "/v1/accounts", fmt.Sprintf(`{"code":"77%03d","name":"Account %d","type":"asset","currency":"usd","reason":"r"}`, n, n))
		transfer := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 7)
		transfer.OrderRef = "A-1"
		results, err := books.Post(t.Context(), ledger.Main(w.tenant), []ledger.Transaction{transfer})
		require.NoError(t, err)
		require.NoError(t, results[0].Err())
	}
	document, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	require.NoError(t, err)
	queries := map[string]string{
		"GET /v1/ledger/transactions": "order_ref=A-1",
		"GET /v1/ledger/entries":      "account=1020",
		"GET /v1/trace":               "unit=" + url.QueryEscape("(01)"+sandbox.Drug+"(21)100000000001"),
		"GET /v1/reports/{report}":    "from=2026-01-01T00:00:00Z&to=2100-01-01T00:00:00Z",
	}
	paged := map[string]string{} // by what a page's size is said
	for path, item := range document.Paths.Map() {
		for _, size := range []string{"limit", "perPage"} {
			if item.Get != nil && item.Get.Parameters.GetByInAndName("query", size) != nil {
				paged["GET "+path] = size
			}
		}
	}
	require.Greater(t, len(paged), 12)
	saga := w.book("A-0")
	took := func(size int) map[string]int64 {
		out := map[string]int64{}
		for _, op := range operations(t) {
			name := op.method + " " + op.path
			if op.method != http.MethodGet {
				continue
			}
			path := strings.NewReplacer("{report}", "general_ledger", "{period}", "2026-11", "{name}", "ObjectEvent").Replace(fill(op.path, saga, "apr_none"))
			if strings.Contains(op.path, "partners/{id}") {
				path = "/v1/partners/" + sandbox.Pharmacy
			}
			path += "?" + queries[name]
			if paged[name] != "" {
				path += fmt.Sprintf("&%s=%d", paged[name], size)
			}
			ask := func() {
				a := w.do(call{method: "GET", path: path, role: allowed[name][0]})
				if paged[name] != "" && !strings.Contains(op.path, "{") {
					require.Equal(t, http.StatusOK, a.status, "%s: %s", path, a.body)
				}
			}
			ask() // what is remembered is remembered now
			before := counter.n.Load()
			ask()
			out[name] = counter.n.Load() - before
		}
		return out
	}
	add(1)
	one := took(100)
	for n := 2; n <= 100; n++ {
		add(n)
	}
	many := took(100)
	require.Equal(t, one, many, "a hundred of everything, where there was one")
	require.Equal(t, took(1), many, "a page of a hundred, and of one")
	for name := range paged {
		require.LessOrEqual(t, many[name], int64(6), "%s: begin, tenant, at most three questions, commit", name)
	}
}
