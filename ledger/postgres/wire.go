package postgres

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// The door takes arrays of rows. Encoding them by reflection costs more
// than everything else the program does for a transfer, so they are laid out
// here in Postgres' binary form: dimensions, whether there are nulls, the
// element's type, the length and lower bound, then each element after its
// length. An element is the number of its fields, then each field's type,
// length and value.

// epoch2000 is where Postgres counts times and dates from.
var epoch2000 = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// rows is an array of composites under way. Between begin and end go the fields
// of one, in the order of the type's definition.
type rows struct {
	b      []byte
	fields uint32 // of a row
	row    int    // where the row under way begins
}

func newRows(element uint32, n int, fields uint32, size int) *rows {
	r := &rows{b: make([]byte, 0, 20+n*size), fields: fields}
	for _, x := range [...]uint32{1, 0, element, uint32(n), 1} {
		r.b = binary.BigEndian.AppendUint32(r.b, x)
	}
	return r
}

func (r *rows) begin() {
	r.row = len(r.b)
	r.b = binary.BigEndian.AppendUint32(append(r.b, 0, 0, 0, 0), r.fields)
}

func (r *rows) end() { binary.BigEndian.PutUint32(r.b[r.row:], uint32(len(r.b)-r.row-4)) }

func (r *rows) field(oid uint32, size int) {
	r.b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(r.b, oid), uint32(size))
}

func (r *rows) null(oid uint32) { r.field(oid, -1) }

func (r *rows) int16(n int16) {
	r.field(pgtype.Int2OID, 2)
	r.b = binary.BigEndian.AppendUint16(r.b, uint16(n))
}

func (r *rows) int32(n int32) {
	r.field(pgtype.Int4OID, 4)
	r.b = binary.BigEndian.AppendUint32(r.b, uint32(n))
}

func (r *rows) int64(n int64) {
	r.field(pgtype.Int8OID, 8)
	r.b = binary.BigEndian.AppendUint64(r.b, uint64(n))
}

func (r *rows) bytes(b []byte) {
	r.field(pgtype.ByteaOID, len(b))
	r.b = append(r.b, b...)
}

// text appends its parts as one text.
func (r *rows) text(parts ...string) {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	r.field(pgtype.TextOID, n)
	for _, p := range parts {
		r.b = append(r.b, p...)
	}
}

func (r *rows) optionalText(s string) {
	if s == "" {
		r.null(pgtype.TextOID)
		return
	}
	r.text(s)
}

func (r *rows) uuid(id uuid.UUID) {
	r.field(pgtype.UUIDOID, len(id))
	r.b = append(r.b, id[:]...)
}

func (r *rows) optionalUUID(id uuid.UUID) {
	if id == uuid.Nil {
		r.null(pgtype.UUIDOID)
		return
	}
	r.uuid(id)
}

func (r *rows) optionalTime(t time.Time) {
	if t.IsZero() {
		r.null(pgtype.TimestamptzOID)
		return
	}
	r.field(pgtype.TimestamptzOID, 8)
	r.b = binary.BigEndian.AppendUint64(r.b, uint64(micros(t)))
}

func (r *rows) date(t time.Time) {
	r.field(pgtype.DateOID, 4)
	r.b = binary.BigEndian.AppendUint32(r.b, uint32(daysSince2000(t)))
}

func daysSince2000(t time.Time) int32 { return int32(t.Sub(epoch2000) / (24 * time.Hour)) }

func micros(t time.Time) int64 { return t.UnixMicro() - epoch2000.UnixMicro() }

func int64Bytes(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func int32Bytes(n int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

func boolBytes(b bool) []byte {
	if b {
		return []byte{1}
	}
	return []byte{0}
}
