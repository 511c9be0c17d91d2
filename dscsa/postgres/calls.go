package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// call is a statement that is sent without waiting for what it answers.
type call struct{ name, sql string }

var (
	lookEvents  = call{"custody.events_known", sqlEventsKnown}
	lookItems   = call{"custody.items_by_key", sqlItemsByKey}
	doorAppend  = call{"custody.append", sqlAppend}
	doorPutPart = call{"custody.put_part", sqlPutPart}
	doorProject = call{"custody.project", sqlProject}
)

// calls are statements that have been sent: the server works on them while the
// program computes the next. They are answered in order.
type calls struct {
	pipe   *pgconn.Pipeline
	names  []string // not answered yet
	failed error    // the first that was refused; the transaction is of no use then
}

// send sends a statement with parameters in binary form. Nothing else may be
// asked of the transaction until settle.
func (s *session) send(ctx context.Context, c call, args ...[]byte) error {
	if s.calls.pipe == nil {
		conn := s.tx.Conn()
		for _, c := range []call{lookEvents, lookItems, doorAppend, doorPutPart, doorProject} {
			if _, err := conn.Prepare(ctx, c.name, c.sql); err != nil {
				return fmt.Errorf("prepare %s: %w", c.name, err)
			}
		}
		s.calls.pipe = conn.PgConn().StartPipeline(ctx)
	}
	s.calls.pipe.SendQueryPrepared(c.name, args, []int16{1}, []int16{1})
	s.calls.names = append(s.calls.names, c.name)
	if err := s.calls.pipe.Flush(); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return nil
}

// urge asks the server to hand out what it has answered by then.
func (s *session) urge() error {
	s.calls.pipe.SendFlushRequest()
	return s.calls.pipe.Flush()
}

// answer is the rows of the first call of a name; calls before it must have
// been taken.
func (s *session) answer(c call) (pgx.Rows, error) {
	for s.calls.failed == nil {
		name, r, err := s.calls.next()
		if err == nil && name == c.name {
			return pgx.RowsFromResultReader(s.tx.Conn().TypeMap(), r), nil
		}
		if err == nil {
			err = r.Read().Err
		}
		if err != nil {
			s.calls.failed = fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil, s.calls.failed
}

// next is the answer of the call whose turn it is.
func (c *calls) next() (string, *pgconn.ResultReader, error) {
	if len(c.names) == 0 {
		return "", nil, errors.New("nothing has been asked")
	}
	name := c.names[0]
	c.names = c.names[1:]
	answer, err := c.pipe.GetResults()
	if err != nil {
		return name, nil, err
	}
	r, ok := answer.(*pgconn.ResultReader)
	if !ok {
		return name, nil, fmt.Errorf("the server answered with %T", answer)
	}
	return name, r, nil
}

// settle waits for all that has been sent.
func (s *session) settle() error {
	c := s.calls
	s.calls = calls{}
	if c.pipe == nil {
		return nil
	}
	if err := c.pipe.Sync(); c.failed == nil && err != nil {
		c.failed = fmt.Errorf("call the doors of custody: %w", err)
	}
	for c.failed == nil && len(c.names) > 0 {
		name, r, err := c.next()
		if err == nil {
			err = r.Read().Err
		}
		if err != nil {
			c.failed = fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := c.pipe.Close(); c.failed == nil && err != nil {
		c.failed = fmt.Errorf("call the doors of custody: %w", err)
	}
	return c.failed
}
