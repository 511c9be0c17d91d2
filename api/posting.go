package api

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/recourse/recourse/ledger"
)

// A posting is what a request to post asks for, without its name and actor.
type posting struct {
	entity *string // nil: the first one
	asks   ledger.Transaction
}

// Walking a body for what must not be in it, holding it against the contract
// and decoding it are three readings that cost more than everything else of a
// posting, and programs post much. So what is plainly right is read in one
// walk; whatever is not, or not certainly, goes the long way, which says what
// is wrong with it.

// plainMembers are those of a TransactionRequest that are read in one walk,
// plainEntry those of an entry, which has all of them.
var (
	plainMembers = []string{"purpose", "entries", "reason", "order_ref", "document", "kind", "entity", "resolves", "reverses", "effective_on"}
	plainEntry   = []string{"account_code", "side", "amount", "currency"}
)

// readPlainly reads the body of a posting, nil if it has to go the long way. It
// takes nothing that inspect and validate refuse, and reads what they let
// through as the long way does.
func readPlainly(body []byte) *posting {
	if !utf8.Valid(body) {
		return nil
	}
	w := plainWalk{text: string(body)}
	p := &posting{asks: ledger.Transaction{Kind: ledger.Posted}}
	members := w.object(plainMembers, func(name string) bool { return w.member(p, name) })
	if w.space(); members&1 == 0 || w.at != len(w.text) {
		return nil
	}
	return p
}

func (w *plainWalk) member(p *posting, name string) (ok bool) {
	t := &p.asks
	switch name {
	case "purpose":
		t.Purpose, ok = w.string(1, 100)
	case "reason":
		t.Reason, ok = w.string(0, 2000)
	case "order_ref":
		t.OrderRef, ok = w.string(1, 255)
	case "document":
		t.Document, ok = w.string(1, 200)
	case "kind":
		var kind string
		kind, ok = w.string(1, 20)
		t.Kind = ledger.Kind(kind)
		ok = ok && TransactionRequestKind(kind).Valid()
	case "entity":
		var entity string
		entity, ok = w.string(1, 63)
		entity = strings.Clone(entity) // the ledger keeps it
		p.entity = &entity
		ok = ok && consists(entity, lower|digit|dashes) && entity[0] != '-' && entity[0] != '_'
	case "resolves":
		t.Resolves, ok = w.transaction()
	case "reverses":
		t.Reverses, ok = w.transaction()
	case "effective_on":
		var day string
		var err error
		day, ok = w.string(len(time.DateOnly), len(time.DateOnly))
		t.EffectiveOn, err = time.Parse(time.DateOnly, day)
		ok = ok && err == nil
	case "entries":
		ok = w.entries(t)
	}
	return ok
}

func (w *plainWalk) entries(t *ledger.Transaction) bool {
	if !w.take('[') {
		return false
	}
	t.Entries = make([]ledger.Entry, 0, 2)
	for len(t.Entries) < ledger.MaxEntries {
		var e ledger.Entry
		if w.object(plainEntry, func(name string) bool { return w.entry(&e, name) }) != 1<<len(plainEntry)-1 {
			return false
		}
		t.Entries = append(t.Entries, e)
		if w.take(']') {
			return true
		}
		if !w.take(',') {
			return false
		}
	}
	return false
}

func (w *plainWalk) entry(e *ledger.Entry, name string) (ok bool) {
	switch name {
	case "account_code":
		e.Account, ok = w.string(1, 64)
		ok = ok && consists(e.Account, lower|upper|digit|dashes|marks) && consists(e.Account[:1], lower|upper|digit)
	case "side":
		var side string
		side, ok = w.string(1, 1)
		e.Side = ledger.Side(side)
		ok = ok && (e.Side == ledger.Debit || e.Side == ledger.Credit)
	case "amount":
		e.Amount, ok = w.amount()
	case "currency":
		e.Currency, ok = w.string(3, 3)
		ok = ok && consists(e.Currency, lower)
	}
	return ok
}

// transaction reads the name of one.
func (w *plainWalk) transaction() (uuid.UUID, bool) {
	name, ok := w.string(40, 40)
	if !ok || !strings.HasPrefix(name, "txn_") {
		return uuid.Nil, false
	}
	id, err := uuid.Parse(name[4:])
	return id, err == nil && id.String() == name[4:]
}

// A plainWalk reads JSON without escapes. What it hands out is part of text.
type plainWalk struct {
	text string
	at   int
}

func (w *plainWalk) space() {
	for w.at < len(w.text) {
		switch w.text[w.at] {
		case ' ', '\t', '\n', '\r':
			w.at++
		default:
			return
		}
	}
}

// take takes one character, after any white space.
func (w *plainWalk) take(c byte) bool {
	w.space()
	if w.at == len(w.text) || w.text[w.at] != c {
		return false
	}
	w.at++
	return true
}

// object reads an object that has some of names, each once at most, and says
// which, a bit for each in their order; 0 when it is anything else.
func (w *plainWalk) object(names []string, value func(name string) bool) (seen uint) {
	if !w.take('{') {
		return 0
	}
	for {
		name, ok := w.string(1, 40)
		i := slices.Index(names, name)
		if !ok || i < 0 || seen&(1<<i) != 0 || !w.take(':') || !value(name) {
			return 0
		}
		seen |= 1 << i
		if w.take('}') {
			return seen
		}
		if !w.take(',') {
			return 0
		}
	}
}

// string reads a string of so many bytes that holds nothing forbidden. The
// contract counts characters, of which there are not more: one that might have
// too few or too many goes the long way.
func (w *plainWalk) string(least, most int) (string, bool) {
	if !w.take('"') {
		return "", false
	}
	from, wide := w.at, 0
	for w.at < len(w.text) {
		c := w.text[w.at]
		if c == '"' {
			s := w.text[from:w.at]
			w.at++
			return s, len(s)-wide >= least && len(s) <= most && forbidden(s, "") == nil
		}
		if c == '\\' || c < ' ' {
			return "", false
		}
		if c >= utf8.RuneSelf {
			wide++
		}
		w.at++
	}
	return "", false
}

// amount reads an integer that is an amount.
func (w *plainWalk) amount() (n int64, ok bool) {
	w.space()
	for ; w.at < len(w.text) && '0' <= w.text[w.at] && w.text[w.at] <= '9'; w.at++ {
		if n = 10*n + int64(w.text[w.at]-'0'); n == 0 || n > ledger.MaxAmount {
			return 0, false
		}
	}
	return n, n > 0 && w.at < len(w.text) && strings.IndexByte(",} \t\n\r", w.text[w.at]) >= 0
}

// Classes of characters, for consists.
const (
	lower = 1 << iota
	upper
	digit
	dashes // - and _
	marks  // . and :
)

// consists reports whether a text has only characters of some classes.
func consists(text string, classes int) bool {
	for i := range len(text) {
		var class int
		switch c := text[i]; {
		case 'a' <= c && c <= 'z':
			class = lower
		case 'A' <= c && c <= 'Z':
			class = upper
		case '0' <= c && c <= '9':
			class = digit
		case c == '-', c == '_':
			class = dashes
		case c == '.', c == ':':
			class = marks
		}
		if class&classes == 0 {
			return false
		}
	}
	return true
}

// postPlainly answers a posting that was read in one walk; for any other the
// generated handler decodes the body.
func (s *server) postPlainly(c *gin.Context) {
	ctx := c.Request.Context()
	p := whereOf(ctx).posting
	if p == nil {
		return
	}
	c.Abort()
	answer, err := s.post(ctx, p)
	if err == nil {
		err = answer.write(c.Writer)
	}
	if err != nil {
		s.abort(c, err)
	}
}
