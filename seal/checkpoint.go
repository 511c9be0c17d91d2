package seal

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Checkpoint is what is signed of a tree.
type Checkpoint struct {
	Origin string // which chain: the name of the key and what its owner calls it
	Size   int64  // entries, which is the last sequence
	Root   Hash
}

// Text is the three lines that are signed.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Root[:]) + "\n"
}

// errText says what a checkpoint must look like.
var errText = errors.New("this is not a checkpoint: three lines are wanted, origin, size and base64 root, then a blank one and signatures")

// parseText reads the three lines. There are no others: nobody could check
// them.
func parseText(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] == "" || lines[3] != "" {
		return Checkpoint{}, errText
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, errText
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(raw) != len(Hash{}) {
		return Checkpoint{}, errText
	}
	return Checkpoint{Origin: lines[0], Size: size, Root: Hash(raw)}, nil
}

// Peek reads what a signed checkpoint says without checking who signed it.
func Peek(signed []byte) (Checkpoint, error) {
	text, _, ok := strings.Cut(string(signed), "\n\n")
	if !ok {
		return Checkpoint{}, errText
	}
	return parseText(text + "\n")
}

// Sign signs a checkpoint as the chain's log. Prove first that it continues
// what was signed before.
func Sign(c Checkpoint, key *Key) ([]byte, error) {
	signer, err := key.logSigner(c.Origin)
	if err != nil {
		return nil, err
	}
	return note.Sign(&note.Note{Text: c.Text()}, signer)
}

// Cosignature is what a witness adds: that at Time this was the largest tree
// of its origin it had seen, and all it had seen before was part of it.
type Cosignature struct {
	Name string    // of the witness's key
	Time time.Time // UTC, seconds
	Line string    // as it stands in the note, with its newline
}

// Cosign checks nothing: the witness has. It returns the line to add.
func Cosign(c Checkpoint, key *Key, at time.Time) (string, error) {
	signer, err := key.cosigner(at)
	if err != nil {
		return "", err
	}
	signed, err := note.Sign(&note.Note{Text: c.Text()}, signer)
	if err != nil {
		return "", err
	}
	_, line, _ := strings.Cut(string(signed), "\n\n")
	return line, nil
}

// Opened is a checkpoint whose signature was checked.
type Opened struct {
	Checkpoint

	Cosigned []Cosignature // by the witnesses that were asked for
}

// Open checks that a signed checkpoint is by the log's key, and finds which of
// the witnesses co-signed it. A signature by a key that was not named is
// ignored; a wrong one by a key that was is an error.
func Open(signed []byte, log PublicKey, witnesses ...PublicKey) (Opened, error) {
	c, err := Peek(signed)
	if err != nil {
		return Opened{}, err
	}
	verifier, err := log.logVerifier(c.Origin)
	if err != nil {
		return Opened{}, err
	}
	verifiers := []note.Verifier{verifier}
	for _, w := range witnesses {
		v, err := w.cosignatureVerifier()
		if err != nil {
			return Opened{}, err
		}
		verifiers = append(verifiers, v)
	}
	n, err := note.Open(signed, note.VerifierList(verifiers...))
	if err != nil {
		return Opened{}, fmt.Errorf("the checkpoint of %s at %d is not signed by the key %s: %w", c.Origin, c.Size, log.Name, err)
	}
	out, isLogs := Opened{Checkpoint: c}, false
	for _, s := range n.Sigs {
		if s.Name == verifier.Name() && s.Hash == verifier.KeyHash() {
			isLogs = true
			continue
		}
		at, err := cosignedAt(s.Base64)
		if err != nil {
			return Opened{}, err
		}
		out.Cosigned = append(out.Cosigned, Cosignature{Name: s.Name, Time: at, Line: line(s)})
	}
	if !isLogs {
		return Opened{}, fmt.Errorf("the checkpoint of %s at %d is not signed by the key %s", c.Origin, c.Size, log.Name)
	}
	return out, nil
}

// OpenAny is Open with the keys that have signed for the deployment over time,
// the present one first.
func OpenAny(signed []byte, logs []PublicKey, witnesses ...PublicKey) (opened Opened, err error) {
	err = errors.New("there is no key to check the checkpoint with")
	for _, log := range logs {
		if opened, err = Open(signed, log, witnesses...); err == nil {
			return opened, nil
		}
	}
	return opened, err
}

func line(s note.Signature) string { return "— " + s.Name + " " + s.Base64 + "\n" }
