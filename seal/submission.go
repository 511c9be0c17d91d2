package seal

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
)

// Submission is what a witness is sent (C2SP tlog-witness, add-checkpoint): a
// signed checkpoint and the proof that it continues the one of size Old, which
// is the last one the witness co-signed.
type Submission struct {
	Old    int64
	Proof  []Hash
	Signed []byte
}

// MaxSubmission is more than any submission needs, bytes.
const MaxSubmission = 64 << 10

const maxProofLines = 63

// Bytes are the body of the request.
func (s Submission) Bytes() []byte {
	var b bytes.Buffer
	b.WriteString("old " + strconv.FormatInt(s.Old, 10) + "\n")
	for _, h := range s.Proof {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	b.WriteByte('\n')
	b.Write(s.Signed)
	return b.Bytes()
}

// ErrSubmission means that a body is not a submission.
var ErrSubmission = errors.New("the body is not what add-checkpoint takes: a line with the old size, proof lines, an empty line and a checkpoint")

// ParseSubmission reads the body of a request.
func ParseSubmission(body []byte) (Submission, error) {
	head, signed, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok || len(body) > MaxSubmission {
		return Submission{}, ErrSubmission
	}
	lines := strings.Split(string(head), "\n")
	old, ok := strings.CutPrefix(lines[0], "old ")
	if !ok || len(lines) > 1+maxProofLines {
		return Submission{}, ErrSubmission
	}
	size, err := strconv.ParseInt(old, 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != old {
		return Submission{}, ErrSubmission
	}
	s := Submission{Old: size, Signed: signed}
	for _, l := range lines[1:] {
		raw, err := base64.StdEncoding.Strict().DecodeString(l)
		if err != nil || len(raw) != len(Hash{}) {
			return Submission{}, ErrSubmission
		}
		s.Proof = append(s.Proof, Hash(raw))
	}
	return s, nil
}
