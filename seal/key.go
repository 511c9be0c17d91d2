package seal

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/mod/sumdb/note"
)

// Purpose is the first byte of a key: what it signs. Keys of one purpose are
// never taken for those of another.
type Purpose byte

// The purposes (C2SP signed-note and tlog-cosignature).
const (
	ForLog     Purpose = 0x01 // Ed25519 over the note
	ForWitness Purpose = 0x04 // Ed25519 over a timestamped cosignature/v1
)

// Key is a private key with its name. Keep it in a file of mode 0600.
type Key struct {
	PublicKey

	private ed25519.PrivateKey
}

// PublicKey checks what a Key signed. Its text, name+hash+base64, is what is
// given to people.
//
// A log's key signs for every book below its name: with the name
// books.example.com/ledger, a checkpoint of origin
// books.example.com/ledger/TENANT/ENTITY is signed under its origin as the
// key's name, as C2SP asks. For returns the public key of one book, which any
// C2SP witness can be given.
type PublicKey struct {
	Name    string
	Purpose Purpose
	Key     ed25519.PublicKey
}

// errKey says nothing of the text: it may be a private key in the wrong place.
var errKey = errors.New("this is not a key: wanted is name+hash+base64, as `recourse sealer key` and `recourse witness key` print it")

// NewKey makes a key.
func NewKey(name string, purpose Purpose) (*Key, error) {
	if !nameOK(name) {
		return nil, fmt.Errorf("the name of a key is like books.example.com/ledger: no spaces, no plus")
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return &Key{PublicKey{name, purpose, public}, private}, nil
}

func nameOK(name string) bool {
	return name != "" && !strings.ContainsRune(name, '+') && strings.IndexFunc(name, unicode.IsSpace) < 0
}

// Secret is the key's text for its file.
func (k *Key) Secret() string {
	return fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", k.Name, k.hash(k.Name),
		base64.StdEncoding.EncodeToString(append([]byte{byte(k.Purpose)}, k.private.Seed()...)))
}

// ParseKey reads the text of a private key.
func ParseKey(text string, purpose Purpose) (*Key, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), "PRIVATE+KEY+")
	if !ok {
		return nil, errKey
	}
	name, hash, raw, err := split(rest)
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, errKey
	}
	if Purpose(raw[0]) != purpose {
		return nil, fmt.Errorf("the key %s is for something else: sealer and witness have different kinds of keys", name)
	}
	private := ed25519.NewKeyFromSeed(raw[1:])
	k := &Key{PublicKey{name, purpose, ed25519.PublicKey(private[ed25519.SeedSize:])}, private}
	if k.hash(name) != hash {
		return nil, errKey
	}
	return k, nil
}

// String is the key as it is given to people.
func (p PublicKey) String() string {
	return fmt.Sprintf("%s+%08x+%s", p.Name, p.hash(p.Name), base64.StdEncoding.EncodeToString(p.material()))
}

// For is the log's key as it stands under one origin.
func (p PublicKey) For(origin string) PublicKey {
	p.Name = origin
	return p
}

// ParsePublicKey reads the text of a public key.
func ParsePublicKey(text string, purpose Purpose) (PublicKey, error) {
	if strings.HasPrefix(text, "PRIVATE+") {
		return PublicKey{}, errors.New("this is a private key: keep it where it is, and give the public one")
	}
	name, hash, raw, err := split(strings.TrimSpace(text))
	if err != nil || len(raw) != 1+ed25519.PublicKeySize {
		return PublicKey{}, errKey
	}
	p := PublicKey{Name: name, Purpose: Purpose(raw[0]), Key: ed25519.PublicKey(raw[1:])}
	if p.hash(name) != hash {
		return PublicKey{}, errKey
	}
	if p.Purpose != purpose {
		return PublicKey{}, fmt.Errorf("the key %s is for something else: sealer and witness have different kinds of keys", name)
	}
	return p, nil
}

func split(text string) (name string, hash uint32, raw []byte, err error) {
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 || !nameOK(parts[0]) || len(parts[1]) != 8 {
		return "", 0, nil, errKey
	}
	h, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil {
		return "", 0, nil, errKey
	}
	raw, err = base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return "", 0, nil, errKey
	}
	return parts[0], uint32(h), raw, nil
}

func (p PublicKey) material() []byte { return append([]byte{byte(p.Purpose)}, p.Key...) }

// hash is the key id of signed-note.
func (p PublicKey) hash(name string) uint32 {
	h := sha256.New()
	h.Write([]byte(name))
	h.Write([]byte{'\n'})
	h.Write(p.material())
	return binary.BigEndian.Uint32(h.Sum(nil))
}

// signing is a note.Signer and note.Verifier of one key under one name.
type signing struct {
	name   string
	hash   uint32
	sign   func(msg []byte) ([]byte, error)
	verify func(msg, sig []byte) bool
}

func (s *signing) Name() string                    { return s.name }
func (s *signing) KeyHash() uint32                 { return s.hash }
func (s *signing) Sign(msg []byte) ([]byte, error) { return s.sign(msg) }
func (s *signing) Verify(msg, sig []byte) bool     { return s.verify(msg, sig) }

// Signs reports whether the log's key signs checkpoints of an origin.
func (p PublicKey) Signs(origin string) bool {
	return p.Purpose == ForLog && nameOK(origin) && (origin == p.Name || strings.HasPrefix(origin, p.Name+"/"))
}

func (p PublicKey) logVerifier(origin string) (note.Verifier, error) {
	if !p.Signs(origin) {
		return nil, fmt.Errorf("the key %s does not sign for %s", p.Name, origin)
	}
	return &signing{name: origin, hash: p.hash(origin), verify: func(msg, sig []byte) bool { return ed25519.Verify(p.Key, msg, sig) }}, nil
}

func (k *Key) logSigner(origin string) (note.Signer, error) {
	if !k.Signs(origin) {
		return nil, fmt.Errorf("the key %s does not sign for %s", k.Name, origin)
	}
	return &signing{name: origin, hash: k.hash(origin), sign: func(msg []byte) ([]byte, error) { return ed25519.Sign(k.private, msg), nil }}, nil
}

// A cosignature is its time, 8 bytes big-endian, and an Ed25519 signature.
const cosignatureLength = 8 + ed25519.SignatureSize

func cosigned(msg []byte, seconds uint64) []byte {
	return append([]byte("cosignature/v1\ntime "+strconv.FormatUint(seconds, 10)+"\n"), msg...)
}

func (k *Key) cosigner(at time.Time) (note.Signer, error) {
	if k.Purpose != ForWitness || at.Unix() < 0 {
		return nil, fmt.Errorf("the key %s is not a witness's", k.Name)
	}
	return &signing{name: k.Name, hash: k.hash(k.Name), sign: func(msg []byte) ([]byte, error) {
		seconds := uint64(at.Unix())
		return append(binary.BigEndian.AppendUint64(nil, seconds), ed25519.Sign(k.private, cosigned(msg, seconds))...), nil
	}}, nil
}

func (p PublicKey) cosignatureVerifier() (note.Verifier, error) {
	if p.Purpose != ForWitness {
		return nil, fmt.Errorf("the key %s is not a witness's", p.Name)
	}
	return &signing{name: p.Name, hash: p.hash(p.Name), verify: func(msg, sig []byte) bool {
		return len(sig) == cosignatureLength && ed25519.Verify(p.Key, cosigned(msg, binary.BigEndian.Uint64(sig)), sig[8:])
	}}, nil
}

// cosignedAt reads the time out of a signature that was checked.
func cosignedAt(text string) (time.Time, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != 4+cosignatureLength {
		return time.Time{}, errors.New("a cosignature has the wrong length")
	}
	return time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0).UTC(), nil
}
