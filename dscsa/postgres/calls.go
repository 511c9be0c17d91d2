package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// door is a function of the database that writes.
type door struct{ name, sql string }

var (
	doorAppend  = door{"custody.append", sqlAppend}
	doorPutPart = door{"custody.put_part", sqlPutPart}
	doorProject = door{"custody.project", sqlProject}
)

// calls are doors that have been called and not answered yet.
type calls struct {
	pipe  *pgconn.Pipeline
	names []string
}

// call passes a door with parameters in binary form and does not wait: the
// server works on what it was given while the program computes the next.
// Nothing else may be asked of the transaction until settle.
func (s *session) call(ctx context.Context, d door, args [][]byte) error {
	if s.calls.pipe == nil {
		conn := s.tx.Conn()
		for _, d := range []door{doorAppend, doorPutPart, doorProject} {
			if _, err := conn.Prepare(ctx, d.name, d.sql); err != nil {
				return fmt.Errorf("prepare %s: %w", d.name, err)
			}
		}
		s.calls.pipe = conn.PgConn().StartPipeline(ctx)
	}
	s.calls.pipe.SendQueryPrepared(d.name, args, []int16{1}, []int16{1})
	s.calls.names = append(s.calls.names, d.name)
	if err := s.calls.pipe.Flush(); err != nil {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	return nil
}

// settle waits for the doors that have been called. The error is that of the
// first that refused; the transaction is of no use then.
func (s *session) settle() error {
	under := s.calls
	s.calls = calls{}
	if under.pipe == nil {
		return nil
	}
	err := under.pipe.Sync()
	for _, name := range under.names {
		if err != nil {
			break
		}
		var answer any
		if answer, err = under.pipe.GetResults(); err == nil {
			if rows, ok := answer.(*pgconn.ResultReader); ok {
				err = rows.Read().Err
			}
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
	}
	if closed := under.pipe.Close(); err == nil && closed != nil {
		err = fmt.Errorf("call the doors of custody: %w", closed)
	}
	return err
}
