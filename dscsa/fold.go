package dscsa

import (
	"errors"
	"time"

	"github.com/recourse/recourse/dscsa/epcis"
)

// Standing is what the facts come to for one item.
type Standing struct {
	State        State
	Commissioned int64 // the event that made it; 0: not known
	Blocked      string
	Owner        string
	OwnerSure    bool
	Holder       string
	Location     string
	Lot          string
	Expiry       time.Time
	Parent       int64
	LastAt       int64 // microseconds since 1970, of LastEvent or when something was taken out of it; 0: neither
	LastEvent    int64
	Conflict     int64
	ConflictWhy  string
	Hops         int32   // all
	Holds        []int64 // that concern it

	// Fresh are the hops that came on top of the standing the book was given,
	// or all of them.
	Fresh []Hop

	bound   int64 // what is applied must be later; 0: anything
	changed bool
	before  *parting // the shipment under way, if this book saw it
	mark    int
}

// parting is how a thing stood before it was shipped.
type parting struct {
	state                   State
	owner, holder, location string
	sure                    bool
	hop                     bool
}

// The rules by which an event contradicts what is known of an item.
const (
	ConflictRecommissioned = "recommissioned_serial"
	ConflictAfterEnd       = "event_after_end"
	ConflictSender         = "sender_not_owner"
	ConflictReceiver       = "received_by_another"
	ConflictCycle          = "packed_in_itself"
	ConflictVoid           = "void_without_shipment"
)

// ErrLate means that a fact is not later than what an item's standing already
// contains. The book is then of no use; fold all facts.
var ErrLate = errors.New("a fact is not later than what is known: fold all facts")

// Book is the standing of a set of items.
type Book struct {
	items  map[int64]*Standing
	inside map[int64][]int64 // what was packed into an item; whoever left names another parent
	room   []Standing        // for items to come
	now    *Fact
	mark   int
	late   bool
	stack  []int64
	reach  []*Standing
}

// NewBook returns a book of n items or so.
func NewBook(n int) *Book {
	return &Book{items: make(map[int64]*Standing, n), inside: map[int64][]int64{}}
}

// Fold is the standing of items by all facts that concern them and whatever
// they have ever been in. It depends on the set of facts alone.
func Fold(facts []Fact) *Book {
	b := NewBook(len(facts))
	for _, f := range Effective(facts) {
		b.apply(f)
	}
	return b
}

// Put says how an item stands by facts that are not given again: what is
// applied to it must be later. What is in it must be put too.
func (b *Book) Put(id int64, s *Standing) {
	s.bound, s.Fresh, s.changed, s.before, s.mark = s.LastAt, nil, false, nil, 0
	b.items[id] = s
	if s.Parent != 0 {
		b.inside[s.Parent] = append(b.inside[s.Parent], id)
	}
}

// Apply carries facts, none of them withdrawn, into the book. ErrLate when
// one is not later than what the book was given, or takes back a shipment of
// before.
func (b *Book) Apply(facts []Fact) error {
	for _, f := range Effective(facts) {
		if b.apply(f); b.late {
			return ErrLate
		}
	}
	return nil
}

// Of is the standing of an item, nil when no fact named it.
func (b *Book) Of(id int64) *Standing { return b.items[id] }

// Changed calls fn for each item that a fact has concerned.
func (b *Book) Changed(fn func(id int64, s *Standing)) {
	for id, s := range b.items {
		if s.changed {
			fn(id, s)
		}
	}
}

// Within calls fn for each item that is in another now, at any depth.
func (b *Book) Within(id int64, fn func(id int64, s *Standing)) {
	for _, child := range b.inside[id] {
		if s := b.items[child]; s.Parent == id {
			fn(child, s)
			b.Within(child, fn)
		}
	}
}

func (b *Book) item(id int64) *Standing {
	s := b.items[id]
	if s == nil {
		if len(b.room) == 0 {
			b.room = make([]Standing, 256)
		}
		s, b.room = &b.room[0], b.room[1:]
		s.State = Unknown
		b.items[id] = s
	}
	return s
}

// touch notes that the present fact concerns an item.
func (b *Book) touch(s *Standing) {
	if s.bound != 0 && b.now.At <= s.bound {
		b.late = true
	}
	s.LastAt, s.LastEvent, s.changed = b.now.At, b.now.Seq, true
	for _, h := range b.now.Holds {
		s.addHold(h)
	}
}

func (s *Standing) addHold(h int64) {
	for _, have := range s.Holds {
		if have == h {
			return
		}
	}
	s.Holds = append(s.Holds, h)
	s.changed = true
}

// contradict notes that the present fact cannot be true of an item if what
// came before is. The first one stays.
func (b *Book) contradict(s *Standing, rule string) {
	if s.Conflict == 0 {
		s.Conflict, s.ConflictWhy = b.now.Seq, rule
	}
}

// named touches the items of the list and all that is in them, and returns
// them. A named item is taken out of what is not named with it when alone is
// set: it goes its own way.
func (b *Book) named(ids []int64, alone bool) []*Standing {
	b.mark++
	b.stack = append(b.stack[:0], ids...)
	b.reach = b.reach[:0]
	for i := 0; i < len(b.stack); i++ {
		id := b.stack[i]
		s := b.item(id)
		if s.mark == b.mark {
			continue
		}
		s.mark = b.mark
		b.touch(s)
		b.reach = append(b.reach, s)
		for _, child := range b.inside[id] {
			if b.items[child].Parent == id {
				b.stack = append(b.stack, child)
			}
		}
	}
	if alone {
		for _, id := range ids {
			if s := b.items[id]; s.Parent != 0 {
				if p := b.items[s.Parent]; p == nil || p.mark != b.mark {
					b.takeOut(s)
				}
			}
		}
	}
	return b.reach
}

// takeOut takes an item out of what it is in. That moves the container's time
// on: a fact about it from before would have concerned the item too, and has
// to be seen to be late now that the item is not in it any more.
func (b *Book) takeOut(s *Standing) {
	if p := b.items[s.Parent]; p != nil && p.LastAt < b.now.At {
		p.LastAt, p.changed = b.now.At, true
	}
	s.Parent = 0
}

func (b *Book) apply(f *Fact) {
	b.now = f
	switch f.step() {
	case commission:
		b.commission()
	case receive, observe:
		b.observe()
	case unpack:
		b.unpack()
	case pack:
		b.pack()
	case ship:
		b.ship()
	case voidShip:
		b.void()
	case dispense:
		for _, s := range b.named(f.Members, true) {
			b.end(s, Dispensed)
		}
	case end:
		b.ends()
	case hold:
		b.named(f.Members, false)
	case nothing:
	}
}

func (b *Book) commission() {
	f := b.now
	outputs := f.Members
	if f.Type == epcis.TransformationEvent {
		outputs = f.Outputs
		for _, s := range b.named(f.Members, true) {
			b.end(s, Decommissioned)
		}
	}
	for _, id := range outputs {
		s := b.item(id)
		b.touch(s)
		if s.Commissioned != 0 || s.State.Ended() {
			again := !s.State.Ended() && (f.Lot == "" || f.Lot == s.Lot) && (f.Expiry.IsZero() || f.Expiry.Equal(s.Expiry))
			if !again { // else it is told once more, as partners do
				b.contradict(s, ConflictRecommissioned)
			}
			continue
		}
		s.Commissioned = f.Seq
		s.Lot, s.Expiry = f.Lot, f.Expiry
		b.see(s)
	}
}

// see takes from the present fact what any sighting tells of an item: it has
// arrived, where it is, who has it if nobody is known to, what it is fit for.
func (b *Book) see(s *Standing) {
	f := b.now
	if s.State == Unknown || s.State == InTransit && f.Disposition != dispInTransit {
		s.State, s.before = InStock, nil
	}
	if f.Location != "" && s.State != InTransit {
		s.Location = f.Location
	}
	if !s.OwnerSure && f.Location != "" {
		s.Owner, s.Holder = f.Location, f.Location
	}
	s.judge(f)
}

// judge takes over what a fact says of an item's fitness for sale.
func (s *Standing) judge(f *Fact) {
	switch {
	case blocking[f.Disposition]:
		s.Blocked = f.Disposition
	case f.BizStep == bizHolding && s.Blocked == "":
		s.Blocked = bizHolding
	case clearing[f.Disposition]:
		s.Blocked = ""
	}
	for _, d := range f.Unset {
		if d == s.Blocked {
			s.Blocked = ""
		}
	}
	for _, d := range f.Set {
		if blocking[d] {
			s.Blocked = d
		}
	}
}

func (b *Book) observe() {
	f := b.now
	ids := f.Members
	if f.Type == epcis.AggregationEvent && f.Parent != 0 {
		ids = append([]int64{f.Parent}, ids...)
	}
	received := f.step() == receive
	for _, s := range b.named(ids, false) {
		if s.State.Ended() {
			b.contradict(s, ConflictAfterEnd)
			continue
		}
		if received && f.DestOwner != "" {
			if s.OwnerSure && s.Owner != f.DestOwner {
				b.contradict(s, ConflictReceiver)
				continue
			}
			s.Owner, s.Holder, s.OwnerSure = f.DestOwner, f.DestOwner, true
			if f.DestHolder != "" {
				s.Holder = f.DestHolder
			}
		}
		b.see(s)
	}
}

func (b *Book) pack() {
	f := b.now
	if f.Parent == 0 {
		return
	}
	p := b.item(f.Parent)
	b.touch(p)
	if p.State.Ended() {
		b.contradict(p, ConflictAfterEnd)
	} else {
		b.see(p)
	}
	for _, id := range f.Members {
		s := b.item(id)
		b.touch(s)
		switch {
		case s.State.Ended():
			b.contradict(s, ConflictAfterEnd)
			continue
		case b.within(f.Parent, id):
			b.contradict(s, ConflictCycle)
			continue
		}
		b.see(s)
		if s.Parent != f.Parent {
			b.takeOut(s)
			s.Parent = f.Parent
			b.inside[f.Parent] = append(b.inside[f.Parent], id)
		}
		// What is put into a container that is held is held with it.
		if len(p.Holds) > 0 {
			b.inherit(id, s, p.Holds)
		}
	}
}

func (b *Book) inherit(id int64, s *Standing, holds []int64) {
	for _, h := range holds {
		s.addHold(h)
	}
	b.Within(id, func(_ int64, s *Standing) {
		for _, h := range holds {
			s.addHold(h)
		}
	})
}

// within reports whether an item is another or in it.
func (b *Book) within(id, of int64) bool {
	for range len(b.items) + 1 {
		if id == of {
			return true
		}
		s := b.items[id]
		if s == nil || s.Parent == 0 {
			return false
		}
		id = s.Parent
	}
	return false
}

// unpack takes the named children out, or all there are when none is named
// (EPCIS 1.2 section 7.4.3).
func (b *Book) unpack() {
	f := b.now
	children := f.Members
	if len(children) == 0 && f.Parent != 0 {
		for _, id := range b.inside[f.Parent] {
			if b.items[id].Parent == f.Parent {
				children = append(children, id)
			}
		}
	}
	if f.Parent != 0 {
		p := b.item(f.Parent)
		b.touch(p)
		if !p.State.Ended() {
			b.see(p)
		}
		if len(f.Members) == 0 {
			b.inside[f.Parent] = nil
		}
	}
	for _, id := range children {
		s := b.item(id)
		b.touch(s)
		if f.Parent == 0 || s.Parent == f.Parent {
			b.takeOut(s)
		}
		if !s.State.Ended() {
			b.see(s)
		}
	}
}

func (b *Book) ship() {
	f := b.now
	for _, s := range b.named(f.Members, true) {
		if s.State.Ended() {
			b.contradict(s, ConflictAfterEnd)
			continue
		}
		from, to := f.SourceOwner, f.DestOwner
		if n := len(s.Fresh); n > 0 && s.Fresh[n-1].At.UnixMicro() == f.At && s.Fresh[n-1].From == from && s.Fresh[n-1].To == to {
			continue // the same shipment, told in other words
		}
		if from != "" && s.OwnerSure && s.Owner != from {
			b.contradict(s, ConflictSender)
			continue
		}
		was := parting{state: s.State, owner: s.Owner, holder: s.Holder, location: s.Location, sure: s.OwnerSure}
		if from != "" {
			s.Owner, s.OwnerSure = from, true
		}
		if to != "" && to != s.Owner {
			s.Hops++
			s.Fresh = append(s.Fresh, Hop{Number: s.Hops, From: s.Owner, To: to, At: time.UnixMicro(f.At).UTC(), Event: f.Seq})
			s.Owner, s.Holder, s.OwnerSure = to, to, true
			was.hop = true
		}
		if f.DestHolder != "" {
			s.Holder = f.DestHolder
		}
		if f.DestLocation != "" {
			s.Location = f.DestLocation
		} else if to != "" {
			s.Location = to
		}
		if s.State == InTransit {
			was.state = InStock // it had arrived before it left again
		}
		s.State, s.before = InTransit, &was
		s.judge(f)
	}
}

// void takes back the shipment under way of what is named and what is in it.
func (b *Book) void() {
	for _, s := range b.named(b.now.Members, false) {
		was := s.before
		switch {
		case s.State == InTransit && was != nil:
			if was.hop {
				if len(s.Fresh) == 0 {
					b.late = true
					return
				}
				s.Hops--
				s.Fresh = s.Fresh[:len(s.Fresh)-1]
			}
			s.State, s.Owner, s.Holder, s.Location, s.OwnerSure, s.before = was.state, was.owner, was.holder, was.location, was.sure, nil
			if s.State == Unknown {
				s.State = InStock
			}
		case s.bound != 0 && s.State == InTransit:
			b.late = true // it left before what this book has seen
			return
		case s.State != InStock || s.Owner == "" || b.now.SourceOwner != "" && s.OwnerSure && s.Owner != b.now.SourceOwner:
			b.contradict(s, ConflictVoid)
		}
	}
}

// ends is the last event of what is named. Destroying a container destroys
// what is in it; otherwise the number alone is given up.
func (b *Book) ends() {
	f := b.now
	state := Decommissioned
	if f.BizStep == bizDestroying || f.Disposition == dispDestroyed || f.Disposition == dispDisposed {
		state = Destroyed
	}
	if state == Destroyed {
		for _, s := range b.named(f.Members, true) {
			b.end(s, state)
		}
		return
	}
	for _, id := range f.Members {
		s := b.item(id)
		b.touch(s)
		b.takeOut(s)
		b.end(s, state)
		for _, child := range b.inside[id] {
			if c := b.items[child]; c.Parent == id {
				b.touch(c)
				c.Parent = 0
			}
		}
		b.inside[id] = nil
	}
}

func (b *Book) end(s *Standing, state State) {
	if s.State.Ended() {
		return // said again
	}
	s.State, s.before = state, nil
	if b.now.Location != "" {
		s.Location = b.now.Location
	}
	if !s.OwnerSure && s.Owner == "" {
		s.Owner, s.Holder = b.now.Location, b.now.Location
	}
}

// Concerning is the facts that concern an item, in order, also by what it was
// in at the time: their sequence numbers.
func Concerning(facts []Fact, id int64) []int64 {
	b := NewBook(len(facts))
	var out []int64
	for _, f := range Effective(facts) {
		b.apply(f)
		if s := b.items[id]; s != nil && s.LastEvent == f.Seq {
			out = append(out, f.Seq)
		}
	}
	return out
}

// Equal reports whether two standings say the same; holds and hops are not
// compared.
func (s *Standing) Equal(o *Standing) bool {
	return s.State == o.State && s.Commissioned == o.Commissioned && s.Blocked == o.Blocked && s.Owner == o.Owner && s.OwnerSure == o.OwnerSure &&
		s.Holder == o.Holder && s.Location == o.Location && s.Lot == o.Lot && s.Expiry.Equal(o.Expiry) && s.Parent == o.Parent &&
		s.LastAt == o.LastAt && s.LastEvent == o.LastEvent && s.Conflict == o.Conflict && s.ConflictWhy == o.ConflictWhy && s.Hops == o.Hops
}
