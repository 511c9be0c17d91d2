package gs1

import (
	"strconv"
	"time"
)

// Date reads YYMMDD as (17) and its like hold it (General Specifications
// section 3.4): day 00 is the last of the month, and the century is the one
// that puts the year at most 49 before and 50 after that of now. The result is
// midnight UTC.
func Date(yymmdd string, now time.Time) (time.Time, error) {
	if len(yymmdd) != 6 || !realDay(yymmdd, true) {
		return time.Time{}, fault(RuleDate, "this is no day, write YYMMDD: "+quote(yymmdd))
	}
	year, month, day := number(yymmdd[:2]), number(yymmdd[2:4]), number(yymmdd[4:])
	this := now.UTC().Year()
	switch diff := year - this%100; {
	case diff >= 51:
		year += this - this%100 - 100
	case diff <= -50:
		year += this - this%100 + 100
	default:
		year += this - this%100
	}
	if day == 0 {
		month, day = month+1, 0 // the day before the first of the next month
	}
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if day != 0 && date.Day() != day {
		return time.Time{}, fault(RuleDate, "the month has no such day: "+quote(yymmdd))
	}
	return date, nil
}

// realDay checks YYMMDD or YYYYMMDD. Of a year of two digits the leap years
// are those divisible by four: 2000 was one, and 2100 is out of every window
// that matters before 2050.
func realDay(v string, zeroDay bool) bool {
	if !allDigits(v) {
		return false
	}
	n := len(v)
	year, month, day := number(v[:n-4]), number(v[n-4:n-2]), number(v[n-2:])
	if month < 1 || month > 12 {
		return false
	}
	if day == 0 {
		return zeroDay
	}
	if n == 6 {
		year += 2000
	}
	return day <= time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}
