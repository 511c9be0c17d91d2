package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
)

// An Action is one thing that was done.
type Action struct {
	Seq        int64
	RecordedAt time.Time // UTC, microseconds
	Actor      string    // id of the key; cli: and a database role
	Role       string    // the actor's at that moment
	Operation  string    // of the API's contract, or of the command line
	Path       string    // which object
	RequestID  string
	Remote     string   // address the request came from
	Status     int32    // of the answer; 0 from the command line
	Request    [32]byte // SHA-256 of the request: method, path and canonical body
	Answer     [32]byte // SHA-256 of the answer's body
}

// AppendCanonical appends the bytes that are hashed after the hash before them
// and a zero byte: version 1, sequence, microseconds since 1970, six texts each
// with its length before it, status, two digests. Integers are big-endian.
func (a *Action) AppendCanonical(b []byte) []byte {
	b = append(b, 1)
	b = binary.BigEndian.AppendUint64(b, uint64(a.Seq))
	b = binary.BigEndian.AppendUint64(b, uint64(a.RecordedAt.UnixMicro()))
	for _, s := range []string{a.Actor, a.Role, a.Operation, a.Path, a.RequestID, a.Remote} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(a.Status))
	b = append(b, a.Request[:]...)
	return append(b, a.Answer[:]...)
}

// Hash is the action's in the chain, after the one before.
func (a *Action) Hash(prev [32]byte) [32]byte {
	return sha256.Sum256(a.AppendCanonical(append(prev[:], 0)))
}

var errNoAction = errors.New("these are not the canonical bytes of an action")

// ParseCanonical reads canonical bytes.
func ParseCanonical(b []byte) (a Action, err error) {
	if len(b) < 17 || b[0] != 1 {
		return a, errNoAction
	}
	a.Seq = int64(binary.BigEndian.Uint64(b[1:]))
	a.RecordedAt = time.UnixMicro(int64(binary.BigEndian.Uint64(b[9:]))).UTC()
	b = b[17:]
	for _, s := range []*string{&a.Actor, &a.Role, &a.Operation, &a.Path, &a.RequestID, &a.Remote} {
		if len(b) < 4 {
			return a, errNoAction
		}
		n := int64(binary.BigEndian.Uint32(b))
		if b = b[4:]; n > int64(len(b)) {
			return a, errNoAction
		}
		*s, b = string(b[:n]), b[n:]
	}
	if len(b) != 4+32+32 {
		return a, errNoAction
	}
	a.Status = int32(binary.BigEndian.Uint32(b))
	a.Request, a.Answer = [32]byte(b[4:36]), [32]byte(b[36:])
	return a, nil
}

// Genesis is what the hash of a tenant's first action follows.
func Genesis(tenant uuid.UUID) [32]byte {
	return sha256.Sum256(append([]byte("recourse audit chain 1\x00"), tenant[:]...))
}

// Name is the end of the origin of a tenant's chain in checkpoints.
func Name(tenant uuid.UUID) string { return "audit/" + tenant.String() }

// TenantOf reads the tenant out of the origin of an audit chain. False: the
// origin is of something else.
func TenantOf(origin string) (uuid.UUID, bool) {
	last := strings.LastIndexByte(origin, '/')
	tenant, err := uuid.Parse(origin[last+1:])
	return tenant, err == nil && len(origin) > len(Name(tenant))+1 && strings.HasSuffix(origin, "/"+Name(tenant))
}
