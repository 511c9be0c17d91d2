package postgres

import (
	"encoding/binary"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// The doors take dozens of arrays of tens of thousands of elements. Encoding
// them by reflection costs more than everything else the program does for a
// capture, so they are laid out here in Postgres' binary form.

var epoch2000 = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// array is one parameter: dimensions, whether there are nulls, the element's
// type, how many there are and the lower bound, then each element after its
// length.
type array struct {
	buf []byte
	n   uint32
}

func newArray(oid uint32, room int) *array {
	a := &array{buf: make([]byte, 20, 20+room)}
	binary.BigEndian.PutUint32(a.buf[0:], 1)
	binary.BigEndian.PutUint32(a.buf[8:], oid)
	binary.BigEndian.PutUint32(a.buf[16:], 1)
	return a
}

func (a *array) param() []byte {
	binary.BigEndian.PutUint32(a.buf[12:], a.n)
	return a.buf
}

func (a *array) null() {
	a.n++
	a.buf[7] = 1
	a.buf = binary.BigEndian.AppendUint32(a.buf, 0xffffffff)
}

func (a *array) bool(b bool) {
	a.n++
	a.buf = binary.BigEndian.AppendUint32(a.buf, 1)
	if b {
		a.buf = append(a.buf, 1)
	} else {
		a.buf = append(a.buf, 0)
	}
}

func (a *array) int16(n int16) {
	a.n++
	a.buf = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(a.buf, 2), uint16(n))
}

func (a *array) int32(n int32) {
	a.n++
	a.buf = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(a.buf, 4), uint32(n))
}

func (a *array) int64(n int64) {
	a.n++
	a.buf = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(a.buf, 8), uint64(n))
}

// id is a number whose zero is none.
func (a *array) id(n int64) {
	if n == 0 {
		a.null()
		return
	}
	a.int64(n)
}

func (a *array) bytes(b []byte) {
	a.n++
	a.buf = append(binary.BigEndian.AppendUint32(a.buf, uint32(len(b))), b...)
}

func (a *array) text(s string) {
	a.n++
	a.buf = append(binary.BigEndian.AppendUint32(a.buf, uint32(len(s))), s...)
}

func (a *array) optionalText(s string) {
	if s == "" {
		a.null()
		return
	}
	a.text(s)
}

func (a *array) date(t time.Time) {
	if t.IsZero() {
		a.null()
		return
	}
	a.int32(int32(t.Sub(epoch2000) / (24 * time.Hour)))
}

func (a *array) micros(unix int64) { a.int64(unix - epoch2000.UnixMicro()) }

func int64Param(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func int32Param(n int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

func timeParam(t time.Time) []byte { return int64Param(t.UnixMicro() - epoch2000.UnixMicro()) }

const (
	oidBool                   = pgtype.BoolOID
	oidInt2, oidInt4, oidInt8 = pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID
	oidText, oidBytea         = pgtype.TextOID, pgtype.ByteaOID
	oidDate, oidTime          = pgtype.DateOID, pgtype.TimestamptzOID
)
