package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// The audit reads millions of rows. It asks for them in Postgres' binary form
// and decodes them by place into batches that are used again, so that a row
// costs no allocation; reading, and hashing and checking, go side by side.

const (
	batchRows  = 1024
	batchesOut = 8
	// Postgres counts time from 2000.
	epochMicros = 946_684_800_000_000
	epochDays   = 10_957
)

// journalRow is a transaction as stored. Times are microseconds and dates days
// since 1970.
type journalRow struct {
	seq, at                int64
	id, resolves, reverses [16]byte
	expires                int64
	effective, period      int32
	texts                  [8][]byte // kind, purpose, actor, reason, saga, order, document, approval
	hash                   []byte
	linked                 [2]bool // resolves, reverses is not null
	hasExpiry              bool
}

// postingRow is a line as stored.
type postingRow struct {
	at, seq, account, amount        int64
	posted, heldDebits, heldCredits int64
	period                          int32
	line                            int16
	side, layer                     byte
}

// batch is rows of one kind with the bytes they point into.
type batch[T any] struct {
	rows  []T
	arena []byte
}

// stream reads one query in the background.
type stream[T any] struct {
	full  chan *batch[T]
	empty chan *batch[T]
	err   error // after full is closed
	now   *batch[T]
	at    int
}

func startStream[T any](ctx context.Context, conn *pgx.Conn, sql string, args []string, decode func(*T, [][]byte, *batch[T]) error) *stream[T] {
	s := &stream[T]{full: make(chan *batch[T], batchesOut), empty: make(chan *batch[T], batchesOut+2)}
	for range batchesOut + 2 {
		s.empty <- &batch[T]{rows: make([]T, 0, batchRows), arena: make([]byte, 0, 64<<10)}
	}
	go func() {
		defer close(s.full)
		s.err = s.read(ctx, conn, sql, args, decode)
	}()
	return s
}

func (s *stream[T]) read(ctx context.Context, conn *pgx.Conn, sql string, args []string, decode func(*T, [][]byte, *batch[T]) error) error {
	params := make([][]byte, len(args))
	for i, a := range args {
		params[i] = []byte(a)
	}
	rows := conn.PgConn().ExecParams(ctx, sql, params, nil, nil, []int16{1})
	b, err := s.fresh(ctx)
	for err == nil && rows.NextRow() {
		b.rows = b.rows[:len(b.rows)+1]
		if err = decode(&b.rows[len(b.rows)-1], rows.Values(), b); err != nil {
			break
		}
		if len(b.rows) == cap(b.rows) {
			if err = s.send(ctx, b); err == nil {
				b, err = s.fresh(ctx)
			}
		}
	}
	_, closed := rows.Close()
	if err == nil {
		err = closed
	}
	if err == nil && len(b.rows) > 0 {
		err = s.send(ctx, b)
	}
	return err
}

func (s *stream[T]) fresh(ctx context.Context) (*batch[T], error) {
	select {
	case b := <-s.empty:
		b.rows, b.arena = b.rows[:0], b.arena[:0]
		return b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *stream[T]) send(ctx context.Context, b *batch[T]) error {
	select {
	case s.full <- b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// peek is the next row, nil at the end. It stays valid until a batch later.
func (s *stream[T]) peek() (*T, error) {
	for s.now == nil || s.at == len(s.now.rows) {
		if s.now != nil {
			s.empty <- s.now
		}
		b, ok := <-s.full
		if !ok {
			s.now = nil
			return nil, s.err
		}
		s.now, s.at = b, 0
	}
	return &s.now.rows[s.at], nil
}

func (s *stream[T]) next() { s.at++ }

var errForm = errors.New("the database answers in a form this program does not know")

// A value that is not there, or not of its length, is zero here: the tables
// may have been altered, and the hash is not of that.

func int64Of(v []byte) int64 {
	if len(v) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(v))
}

// letterOf is a text of one letter; anything else is no side and no layer.
func letterOf(v []byte) byte {
	if len(v) != 1 {
		return 0
	}
	return v[0]
}

func idOf(v []byte) (id [16]byte) {
	copy(id[:], v)
	return id
}

func int16Of(v []byte) int16 {
	if len(v) != 2 {
		return 0
	}
	return int16(binary.BigEndian.Uint16(v))
}

func int32Of(v []byte) int32 {
	if len(v) != 4 {
		return 0
	}
	return int32(binary.BigEndian.Uint32(v))
}

func decodeJournal(r *journalRow, v [][]byte, b *batch[journalRow]) error {
	if len(v) != 17 {
		return errForm
	}
	*r = journalRow{seq: int64Of(v[0]), at: int64Of(v[1]) + epochMicros, id: idOf(v[2]), effective: int32Of(v[6]) + epochDays, period: int32Of(v[7]) + epochDays}
	if v[3] != nil {
		r.resolves, r.linked[0] = idOf(v[3]), true
	}
	if v[4] != nil {
		r.reverses, r.linked[1] = idOf(v[4]), true
	}
	if v[5] != nil {
		r.expires, r.hasExpiry = int64Of(v[5])+epochMicros, true
	}
	for i := range r.texts {
		r.texts[i] = b.keep(v[8+i])
	}
	r.hash = b.keep(v[16])
	return nil
}

// keep copies bytes into the batch. An arena that grows leaves the rows before
// with the old one, which stays as it is.
func (b *batch[T]) keep(v []byte) []byte {
	if len(v) == 0 {
		return nil
	}
	at := len(b.arena)
	b.arena = append(b.arena, v...)
	return b.arena[at:len(b.arena):len(b.arena)]
}

func decodePosting(r *postingRow, v [][]byte, _ *batch[postingRow]) error {
	if len(v) != 11 {
		return errForm
	}
	*r = postingRow{
		at: int64Of(v[0]) + epochMicros, seq: int64Of(v[1]), account: int64Of(v[2]), amount: int64Of(v[3]),
		posted: int64Of(v[4]), heldDebits: int64Of(v[5]), heldCredits: int64Of(v[6]), period: int32Of(v[7]) + epochDays,
		line: int16Of(v[8]), side: letterOf(v[9]), layer: letterOf(v[10]),
	}
	return nil
}

func microText(us int64) string {
	if us == 0 {
		return "-infinity"
	}
	return time.UnixMicro(us).UTC().Format("2006-01-02 15:04:05.000000+00")
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func where(seq int64) string { return fmt.Sprintf("sequence %d", seq) }
