package postgres_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// A loss is what becomes of a request that commits, and of its answer.
type loss int

const (
	arrives  loss = iota // both do
	noAnswer             // the server does it; the answer is lost
	noMatter             // the request is sent and the connection cut in the same moment
	notSent              // the request is lost
	tooLate              // the request arrives when its sender has given it up
)

// A wire carries connections to the server and loses what it is told to. It
// looks at the requests that commit: a call of the door on its own, and the
// commit of a transaction in which the door was called.
type wire struct {
	lose func(straight bool) loss
	cut  func() bool // whether to cut before some other write; nil: never

	mu   sync.Mutex
	late []*parcel
	hits map[loss]int
}

// A parcel is a request on its way for too long.
type parcel struct {
	net.Conn

	straight bool
	request  []byte
}

var errLost = errors.New("connection lost (by the test)")

// pool connects as the worker over the wire.
func (w *wire) pool(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	w.hits = map[loss]int{}
	cfg, err := pgxpool.ParseConfig(url)
	require.NoError(t, err)
	cfg.MaxConns = 8
	cfg.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &wired{Conn: conn, wire: w, doors: map[string]bool{}}, nil
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// held takes the parcels that are on their way.
func (w *wire) held() []*parcel {
	w.mu.Lock()
	defer w.mu.Unlock()
	late := w.late
	w.late = nil
	return late
}

// arrive delivers a parcel and returns what the server said to nobody.
func (p *parcel) arrive() (answer []byte, err error) {
	defer func() { _ = p.Close() }()
	if err := p.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := p.Write(p.request); err != nil {
		return nil, err
	}
	return p.answer()
}

func (p *parcel) answer() ([]byte, error) {
	var all []byte
	buf := make([]byte, 4096)
	for {
		n, err := p.Read(buf)
		all = append(all, buf[:n]...)
		if err != nil || ready(all) {
			return all, err
		}
	}
}

// ready reports whether an answer ends with ReadyForQuery.
func ready(answer []byte) bool {
	n := len(answer)
	return n >= 6 && bytes.Equal(answer[n-6:n-1], []byte{'Z', 0, 0, 0, 5})
}

// wired is one connection.
type wired struct {
	net.Conn

	wire   *wire
	doors  map[string]bool // names of prepared statements that call the door
	inTx   bool
	called bool // the door, in this transaction

	mu   sync.Mutex
	lost loss
	kept bool // by the wire, after its owner has given it up
}

func (c *wired) Write(b []byte) (int, error) {
	c.mu.Lock()
	lost := c.lost
	c.mu.Unlock()
	if lost != arrives {
		return len(b), nil // its owner says goodbye
	}
	commits, straight := c.look(b)
	if !commits {
		if c.wire.cut != nil && c.wire.cut() {
			return 0, errors.Join(errLost, c.Close())
		}
		return c.Conn.Write(b)
	}
	l := c.wire.lose(straight)
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	c.wire.hits[l]++
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = l
	switch l {
	case notSent:
		return len(b), nil
	case tooLate:
		c.kept = true
		c.wire.late = append(c.wire.late, &parcel{Conn: c.Conn, straight: straight, request: bytes.Clone(b)})
		return len(b), nil
	default:
		return c.Conn.Write(b)
	}
}

func (c *wired) Read(b []byte) (int, error) {
	c.mu.Lock()
	lost := c.lost
	c.mu.Unlock()
	switch lost {
	case arrives:
		return c.Conn.Read(b)
	case noAnswer:
		_, _ = (&parcel{Conn: c.Conn}).answer()
	default: // there is none to read
	}
	return 0, errors.Join(errLost, c.Close())
}

func (c *wired) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept {
		return nil
	}
	return c.Conn.Close()
}

// look reads the messages of one write; pgx writes whole ones.
func (c *wired) look(b []byte) (commits, straight bool) {
	for len(b) >= 5 {
		n := int(binary.BigEndian.Uint32(b[1:5])) + 1
		if n < 5 || n > len(b) {
			return commits, straight // the startup message, or its like
		}
		body := b[5:n]
		switch b[0] {
		case 'P':
			name, rest, _ := bytes.Cut(body, []byte{0})
			c.doors[string(name)] = bytes.Contains(rest, []byte("ledger.post_batch("))
		case 'B':
			_, rest, _ := bytes.Cut(body, []byte{0})
			name, _, _ := bytes.Cut(rest, []byte{0})
			if c.doors[string(name)] {
				c.called = true
				commits, straight = !c.inTx, !c.inTx
			}
		case 'Q':
			switch sql := string(bytes.TrimRight(body, "\x00")); {
			case len(sql) >= 5 && sql[:5] == "begin":
				c.inTx, c.called = true, false
			case sql == "commit":
				commits = commits || c.inTx && c.called
				c.inTx = false
			case sql == "rollback":
				c.inTx = false
			}
		}
		b = b[n:]
	}
	return commits, straight
}
