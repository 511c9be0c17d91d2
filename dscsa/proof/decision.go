package proof

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/recourse/recourse/seal"
)

// DecisionFormat names the form of a Bundle of a decision: that documents are
// gone, who ordered it, a legal hold. Its content is three lengths and kind,
// actor and reason, then the body, JSON.
const DecisionFormat = "recourse-custody-decision-proof/1"

const kindDecision = 3

// DecisionFacts are what a bundle of a decision proves, for people.
type DecisionFacts struct {
	Origin     string          `json:"origin"`
	Seq        int64           `json:"seq"`
	RecordedAt time.Time       `json:"recorded_at"`
	Kind       string          `json:"kind"`
	Actor      string          `json:"actor"`
	Reason     string          `json:"reason"`
	Body       json.RawMessage `json:"body"`
	Size       int64           `json:"checkpoint_size"`
	Witnesses  []string        `json:"witnesses"`
}

// VerifyDecision proves the decision with nothing but the bundle and public
// keys. Every witness that is named must have co-signed.
func (b Bundle) VerifyDecision(log seal.PublicKey, witnesses ...seal.PublicKey) (DecisionFacts, error) {
	if b.Format != DecisionFormat {
		return DecisionFacts{}, errors.New("this is not the proof of a decision")
	}
	entry, err := b.entry(kindDecision, log, witnesses...)
	if err != nil {
		return DecisionFacts{}, err
	}
	f := DecisionFacts{Origin: entry.origin, Seq: entry.seq, RecordedAt: entry.at, Size: entry.size, Witnesses: entry.witnesses}
	rest := b.Content
	var lengths [3]uint32
	for i := range lengths {
		if len(rest) < 4 {
			return DecisionFacts{}, errDecision
		}
		lengths[i], rest = binary.BigEndian.Uint32(rest), rest[4:]
	}
	for i, into := range []*string{&f.Kind, &f.Actor, &f.Reason} {
		if uint64(lengths[i]) > uint64(len(rest)) {
			return DecisionFacts{}, errDecision
		}
		*into, rest = string(rest[:lengths[i]]), rest[lengths[i]:]
	}
	if !json.Valid(rest) {
		return DecisionFacts{}, errDecision
	}
	f.Body = rest
	return f, nil
}

var errDecision = errors.New("the decision cannot be read")

// DecisionContent is the canonical bytes of a decision.
func DecisionContent(kind, actor, reason string, body []byte) []byte {
	var out []byte
	for _, t := range [...]string{kind, actor, reason} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(t)))
	}
	return append(fmt.Append(out, kind+actor+reason), body...)
}
