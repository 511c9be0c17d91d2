package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// A cursor names the last saga of a page: its time, its id, and 16 bytes of
// HMAC, so that nobody builds one and none is good for another tenant.
func (s *server) cursor(tenant []byte, at time.Time, id string) string {
	raw := binary.BigEndian.AppendUint64(nil, uint64(at.UnixMicro()))
	raw = append(raw, id...)
	return base64.RawURLEncoding.EncodeToString(append(raw, s.seal(tenant, raw)...))
}

func (s *server) openCursor(tenant []byte, text string) (at time.Time, id string, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) < 8+sealLength+1 {
		return at, "", false
	}
	body, seal := raw[:len(raw)-sealLength], raw[len(raw)-sealLength:]
	if !hmac.Equal(seal, s.seal(tenant, body)) {
		return at, "", false
	}
	return time.UnixMicro(int64(binary.BigEndian.Uint64(body))).UTC(), string(body[8:]), true
}

const sealLength = 16

func (s *server) seal(tenant, body []byte) []byte {
	h := hmac.New(sha256.New, s.cfg.CursorKey)
	h.Write(tenant)
	h.Write(body)
	return h.Sum(nil)[:sealLength]
}
