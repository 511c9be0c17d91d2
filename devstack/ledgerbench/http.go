package ledgerbench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/devstack/benchdb"
)

// RunHTTP measures the same over the product's API: 64 clients with a
// connection each, every check on. super is a superuser's URL of the product's
// database, api the address and key the marketplace's key.
func RunHTTP(ctx context.Context, super, api, key string, talk io.Writer, print func(Line)) error {
	s := &server{Server: &benchdb.Server{Super: super}}
	conn, err := pgx.Connect(ctx, super)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	id, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(key, "sk_test_"), "sk_live_"), "_")
	if err := conn.QueryRow(ctx, `select tenant_id from app.api_key where id = $1`, id).Scan(&s.tenant); err != nil {
		return fmt.Errorf("find the key's tenant: %w", err)
	}
	if err := s.prepare(ctx, conn); err != nil {
		return err
	}
	address := strings.TrimPrefix(api, "http://")
	for _, x := range []struct {
		name string
		pick shape
	}{{"uniform", uniform}, {"hot", hot}} {
		fmt.Fprintf(talk, "recourse: 64 clients over HTTP, %s: the baseline, then ours\n", x.name)
		base, err := s.baselineRate(ctx, 64, x.pick, asStatements)
		if err != nil {
			return fmt.Errorf("baseline: %w", err)
		}
		clients := make([]*client, 64)
		for i := range clients {
			if clients[i], err = dial(ctx, address, key); err != nil {
				return err
			}
			defer clients[i].close()
		}
		ours, err := rate(ctx, len(clients), func(_ context.Context, n int) (int, error) {
			d, c := x.pick()
			return 1, clients[n].post(d, c, 1+rand.Int64N(1000))
		})
		if err != nil {
			return fmt.Errorf("over HTTP: %w", err)
		}
		print(Line{Bench: "ledger.http", Shape: x.name, Clients: 64, Value: ours, Unit: "1/s", Baseline: asStatements.name, BaselineValue: base})
	}
	return nil
}

// A client keeps one connection and costs as little as it can: it shares the
// processors with what it measures.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	head string
	out  []byte
}

func dial(ctx context.Context, address, key string) (*client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect to the API: %w", err)
	}
	return &client{conn: conn, in: bufio.NewReader(conn), head: "POST /v1/ledger/transactions HTTP/1.1\r\nHost: " + address +
		"\r\nAuthorization: Bearer " + key + "\r\nContent-Type: application/json\r\n"}, nil
}

func (c *client) close() { _ = c.conn.Close() }

func (c *client) post(debit, credit int, amount int64) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	body := fmt.Sprintf(`{"purpose":"bench.transfer","reason":"a measurement","entries":[`+
		`{"account_code":"%s","side":"D","amount":%d,"currency":"usd"},{"account_code":"%s","side":"C","amount":%d,"currency":"usd"}]}`,
		code(debit), amount, code(credit), amount)
	c.out = fmt.Appendf(c.out[:0], "%sIdempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s", c.head, id, len(body), body)
	if _, err := c.conn.Write(c.out); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if res.StatusCode != http.StatusCreated {
		return fmt.Errorf("the API answered %s: %s", res.Status, text)
	}
	return nil
}
