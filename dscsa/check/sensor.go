package check

import (
	"strconv"
	"strings"
	"time"

	"github.com/recourse/recourse/dscsa/epcis"
)

// sensor checks that what a sensor tells is of the kind it is told as (EPCIS 2.0
// section 7.3.7): readers of JSON know a number from a text, XML does not.
func (c *Checker) sensor(fields []epcis.Field, where at) {
	for i := range fields {
		f := &fields[i]
		if f.Name.Space != "" || f.Value == "" {
			continue
		}
		ok, want := true, ""
		switch f.Name.Local {
		case "time", "startTime", "endTime":
			_, err := time.Parse(time.RFC3339, f.Value)
			ok, want = err == nil, "a date and time with its offset"
		case "value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue":
			_, err := strconv.ParseFloat(f.Value, 64)
			ok, want = err == nil, "a number"
		case "booleanValue":
			ok, want = f.Value == "true" || f.Value == "false" || f.Value == "1" || f.Value == "0", "true or false"
		case "hexBinaryValue":
			ok, want = len(f.Value)%2 == 0 && strings.Trim(f.Value, "0123456789abcdefABCDEF") == "", "pairs of hexadecimal digits"
		case "uom":
			ok, want = validUOM(f.Value), "a code of UN/CEFACT Recommendation 20, as CEL"
		}
		if !ok {
			c.find("sensor-value", where, "%s is %q, which is not %s", f.Name.Local, brief(f.Value), want)
		}
	}
}
