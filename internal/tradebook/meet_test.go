package tradebook_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/internal/tradebook"
)

// executed counts the statements in a trace of the protocol.
type executed struct{ n int }

func (e *executed) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("F\tExecute\t")) || bytes.HasPrefix(p, []byte("F\tQuery\t")) {
		e.n++
	}
	return len(p), nil
}

// A document may name a thousand companies; whoever is known stays as known.
func TestCompaniesAreMetInOneStatement(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pool, tenant := db.Pool("app_api"), db.Tenant()
	book := tradebook.New(pool)
	at := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	met := func(companies ...dscsa.Partner) (statements int) {
		require.NoError(t, pgtenant.Tx(t.Context(), pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
			count := &executed{}
			tx.Conn().PgConn().Frontend().Trace(count, pgproto3.TracerOptions{SuppressTimestamps: true, RegressMode: true})
			defer tx.Conn().PgConn().Frontend().Untrace()
			err := book.MeetTx(ctx, tx, tenant, "key_operator", companies, at)
			statements = count.n
			return err
		}))
		return statements
	}
	company := func(gln, name, country string) dscsa.Partner {
		return dscsa.Partner{Name: name, GLNs: []string{gln}, Address: dscsa.Address{City: "Duluth", Country: country}}
	}
	require.Zero(t, met())
	require.Equal(t, 1, met(company("0377777000015", "Nordaben", "us")))
	require.Equal(t, 1, met(company("0377777000015", "Somebody else", "DE"), company("0860009999107", "Lakeside", "Canada"), company("0860005678204", "Corner", "FR")))
	for gln, want := range map[string][2]string{"0377777000015": {"Nordaben", "US"}, "0860009999107": {"Lakeside", "US"}, "0860005678204": {"Corner", "FR"}} {
		p, err := book.Partner(t.Context(), tenant, gln)
		require.NoError(t, err, gln)
		require.Equal(t, want, [2]string{p.Name, p.Address.Country})
		require.False(t, p.Verified)
		require.Equal(t, []string{gln}, p.GLNs)
	}
}
