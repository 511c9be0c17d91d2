package stripe

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// params is a form as Stripe reads it: a[b]=c is the member b of a.
type params struct{ url.Values }

// only refuses parameters an endpoint does not have. A name ending in [] or
// followed by [ allows all its members.
func (p params) only(allowed ...string) *apiError {
	for name := range p.Values {
		base, _, _ := strings.Cut(name, "[")
		if !slices.Contains(allowed, base) && base != "expand" {
			return early("parameter_unknown", name, "Received unknown parameter: "+name)
		}
	}
	return nil
}

func (p params) amount(name string) (int64, *apiError) {
	text := p.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, early("parameter_invalid_integer", name, "Invalid integer: "+text)
	}
	if n < 1 {
		return 0, early("parameter_invalid_integer", name, "This value must be greater than or equal to 1.")
	}
	if n > 99_999_999_999 {
		return 0, early("amount_too_large", name, "Amount must be no more than $999,999,999.99")
	}
	return n, nil
}

// metadata reads metadata[x]=y.
func (p params) metadata() map[string]string {
	out := map[string]string{}
	for key, values := range p.Values {
		if rest, ok := strings.CutPrefix(key, "metadata["); ok && strings.HasSuffix(rest, "]") {
			out[strings.TrimSuffix(rest, "]")] = values[0]
		}
	}
	return out
}

// array reads name[]=x and name[0]=x.
func (p params) array(name string) []string {
	out := slices.Clone(p.Values[name+"[]"])
	for i := 0; ; i++ {
		values, ok := p.Values[name+"["+strconv.Itoa(i)+"]"]
		if !ok {
			return out
		}
		out = append(out, values...)
	}
}

// canonical is the parameters in one order, for comparing a repeat.
func (p params) canonical() string { return p.Encode() }
