package ledgerbench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
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
		fmt.Fprintf(talk, "recourse: postings over HTTP that do not wait for each other, %s\n", x.name)
		if err := printLatencies(ctx, clients, x.name, x.pick, ours, print); err != nil {
			return fmt.Errorf("over HTTP: %w", err)
		}
	}
	return nil
}

// A client keeps one connection and costs as little as it can, as load tools
// do: it shares the processors with what it measures. It checks of every answer
// the status and that it is about the transaction that was posted.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	head string
	out  []byte
	body []byte
}

func dial(ctx context.Context, address, key string) (*client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect to the API: %w", err)
	}
	return &client{conn: conn, in: bufio.NewReader(conn), head: "POST /v1/ledger/transactions HTTP/1.1\r\nHost: " + address +
		"\r\nAuthorization: Bearer " + key + "\r\nContent-Type: application/json\r\nIdempotency-Key: "}, nil
}

func (c *client) close() { _ = c.conn.Close() }

func (c *client) post(debit, credit int, amount int64) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	name := id.String()
	c.body = c.entry(append(c.body[:0], `{"purpose":"bench.transfer","reason":"a measurement","entries":[`...), debit, 'D', amount)
	c.body = append(c.entry(append(c.body, ','), credit, 'C', amount), `]}`...)
	c.out = append(append(append(c.out[:0], c.head...), name...), "\r\nContent-Length: "...)
	c.out = append(append(strconv.AppendInt(c.out, int64(len(c.body)), 10), "\r\n\r\n"...), c.body...)
	if _, err := c.conn.Write(c.out); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	status, err := c.answer()
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if status != "HTTP/1.1 201 Created" {
		return fmt.Errorf("the API answered %s: %s", status, c.body)
	}
	told, ok := bytes.CutPrefix(c.body, []byte(`{"id":"txn_`))
	if !ok || len(told) < len(name) || string(told[:len(name)]) != name {
		return fmt.Errorf("the API answered about something else than txn_%s: %s", name, c.body)
	}
	return nil
}

func (*client) entry(b []byte, account int, side byte, amount int64) []byte {
	b = append(append(b, `{"account_code":"`...), code(account)...)
	b = append(append(b, `","side":"`...), side)
	return append(strconv.AppendInt(append(b, `","amount":`...), amount, 10), `,"currency":"usd"}`...)
}

// answer reads an answer with its body and returns its status line.
func (c *client) answer() (status string, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	status = string(bytes.TrimSpace(line))
	length := -1
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return "", err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return "", err
			}
		}
	}
	if length < 0 {
		return "", fmt.Errorf("%s has no length", status)
	}
	c.body = append(c.body[:0], make([]byte, length)...)
	_, err = io.ReadFull(c.in, c.body)
	return status, err
}
