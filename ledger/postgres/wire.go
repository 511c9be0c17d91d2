package postgres

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// The door takes thirty arrays. Encoding them by reflection costs more than
// everything else the program does for a transfer, so they are laid out here in
// Postgres' binary form: dimensions, whether there are nulls, the element's
// type, the length and lower bound, then each element after its length.

// epoch2000 is where Postgres counts times and dates from.
var epoch2000 = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

type array []byte

func newArray(oid uint32, n, size int) array {
	a := make(array, 0, 20+n*(4+size))
	a = binary.BigEndian.AppendUint32(a, 1)
	a = binary.BigEndian.AppendUint32(a, 0)
	a = binary.BigEndian.AppendUint32(a, oid)
	a = binary.BigEndian.AppendUint32(a, uint32(n))
	return binary.BigEndian.AppendUint32(a, 1)
}

func (a *array) null() {
	binary.BigEndian.PutUint32((*a)[4:], 1)
	*a = binary.BigEndian.AppendUint32(*a, 0xffffffff)
}

func (a *array) int16(n int16) {
	*a = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(*a, 2), uint16(n))
}

func (a *array) int32(n int32) {
	*a = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(*a, 4), uint32(n))
}

func (a *array) int64(n int64) {
	*a = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(*a, 8), uint64(n))
}

func (a *array) bytes(b []byte) {
	*a = append(binary.BigEndian.AppendUint32(*a, uint32(len(b))), b...)
}

// text appends its parts as one text.
func (a *array) text(parts ...string) {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	*a = binary.BigEndian.AppendUint32(*a, uint32(n))
	for _, p := range parts {
		*a = append(*a, p...)
	}
}

func (a *array) optionalText(s string) {
	if s == "" {
		a.null()
		return
	}
	a.text(s)
}

func (a *array) optionalUUID(id uuid.UUID) {
	if id == uuid.Nil {
		a.null()
		return
	}
	a.bytes(id[:])
}

func (a *array) optionalTime(t time.Time) {
	if t.IsZero() {
		a.null()
		return
	}
	a.int64(micros(t))
}

func (a *array) date(t time.Time) { a.int32(int32(t.Sub(epoch2000) / (24 * time.Hour))) }

func micros(t time.Time) int64 { return t.UnixMicro() - epoch2000.UnixMicro() }

func int64Bytes(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func int32Bytes(n int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

const (
	oidInt2, oidInt4, oidInt8 = pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID
	oidText, oidBytea         = pgtype.TextOID, pgtype.ByteaOID
	oidUUID, oidDate, oidTime = pgtype.UUIDOID, pgtype.DateOID, pgtype.TimestamptzOID
)
