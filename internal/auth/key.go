// Package auth makes and checks API credentials.
//
// A key reads sk_<env>_<id>_<secret>. The id is public and finds the row; of
// the secret, 32 random bytes, only the SHA-256 is stored, so a stolen table
// opens nothing. Who knows the key is let in: keys expire and can be revoked.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// A Key is a new credential. Text is shown once and never stored.
type Key struct {
	ID     string
	Digest [32]byte
	Text   string
}

const (
	alphabet     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	idLength     = 16
	secretLength = 43 // 256 bits in base 62
	maxLength    = 200
)

// ErrMalformed means that a text is not a key of ours.
var ErrMalformed = errors.New("the credential does not have the form sk_<env>_<id>_<secret>")

// NewKey makes a key for env, test or live.
func NewKey(env string) (Key, error) {
	id, err := random(idLength)
	if err != nil {
		return Key{}, err
	}
	secret, err := random(secretLength)
	if err != nil {
		return Key{}, err
	}
	return Key{ID: id, Digest: digest(secret), Text: "sk_" + env + "_" + id + "_" + secret}, nil
}

// Parse splits a key into its public id and the digest of its secret.
func Parse(text string) (id string, secret [32]byte, err error) {
	parts := strings.Split(text, "_")
	if len(text) > maxLength || len(parts) != 4 || parts[0] != "sk" || (parts[1] != "test" && parts[1] != "live") ||
		len(parts[2]) < 8 || len(parts[2]) > 32 || len(parts[3]) < 32 {
		return "", secret, ErrMalformed
	}
	for _, c := range parts[2] + parts[3] {
		if !strings.ContainsRune(alphabet, c) {
			return "", secret, ErrMalformed
		}
	}
	return parts[2], digest(parts[3]), nil
}

func digest(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }

func random(n int) (string, error) {
	var b strings.Builder
	for range n {
		i, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", fmt.Errorf("random bytes: %w", err)
		}
		b.WriteByte(alphabet[i.Int64()])
	}
	return b.String(), nil
}
