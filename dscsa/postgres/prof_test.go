package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/postgres"
)

func cpu(pid uint32) time.Duration {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	f := strings.Fields(string(raw))
	u, _ := strconv.Atoi(f[0])
	return time.Duration(u)
}

func TestProf(t *testing.T) {
	c := setup(t)
	d := shipmentOf("01", 20000)
	c.record(t, doc("x"), dscsa.Accept)
	for range 3 {
		k := c.another()
		require.NoError(t, k.tx(t, func(ctx context.Context, tx pgx.Tx) error {
			pid := tx.Conn().PgConn().PID()
			postgres.StagePID = pid; os.WriteFile("/tmp/v/d5.pid", []byte(strconv.Itoa(int(pid))), 0o644)
			a := cpu(pid)
			_, err := k.store.AppendTx(ctx, tx, k.tenant, d.batch(dscsa.Accept))
			t.Log("ours, backend cpu", cpu(pid)-a)
			return err
		}))
		var chain int32
		require.NoError(t, c.db.Super().QueryRow(t.Context(), `select id from custody.chain where tenant_id = $1`, k.tenant).Scan(&chain))
		conn, err := pgx.Connect(t.Context(), c.db.SuperURL())
		require.NoError(t, err)
		var sum time.Duration
		for _, tab := range bare {
			buf := &bytes.Buffer{}
			_, err = conn.PgConn().CopyTo(t.Context(), buf, fmt.Sprintf("copy (select * from custody.%s where chain_id = %d) to stdout (format binary)", tab, chain))
			require.NoError(t, err)
			_, err = conn.Exec(t.Context(), "create table x as select * from custody."+tab+" where false")
			pid := conn.PgConn().PID()
			a := cpu(pid)
			n, err := conn.PgConn().CopyFrom(t.Context(), buf, "copy x from stdin (format binary)")
			require.NoError(t, err)
			t.Log(tab, n.RowsAffected(), "copy", cpu(pid)-a)
			sum += cpu(pid) - a
			_, err = conn.Exec(t.Context(), "drop table x")
		}
		t.Log("copy sum", sum)
	}
}
