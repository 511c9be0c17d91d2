package epcis

import "time"

// parseTime reads a date and time of ISO 8601 as EPCIS uses it:
// 2024-01-15T08:00:00.123-05:00. zoned is false when it names no offset, which
// XML Schema allows and EPCIS does not; the time is then in UTC. Digits beyond
// the nanosecond are dropped.
func parseTime(s string) (t time.Time, zoned, ok bool) {
	if len(s) < len("2006-01-02T15:04:05") || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return t, false, false
	}
	year, ok1 := digits(s[0:4])
	month, ok2 := digits(s[5:7])
	day, ok3 := digits(s[8:10])
	hour, ok4 := digits(s[11:13])
	minute, ok5 := digits(s[14:16])
	second, ok6 := digits(s[17:19])
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !ok6 || month < 1 || month > 12 || day < 1 || day > daysIn(month, year) ||
		hour > 24 || minute > 59 || second > 59 {
		return t, false, false
	}
	nano, rest, ok := fraction(s[19:])
	if !ok || hour == 24 && minute+second+nano > 0 { // 24:00 ends the day (XML Schema part 2, section 3.2.7)
		return t, false, false
	}
	zone := time.UTC
	switch rest {
	case "":
	case "Z":
		zoned = true
	default:
		seconds, ok := parseOffset(rest)
		if !ok {
			return t, false, false
		}
		zoned = true
		zone = time.FixedZone("", seconds)
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, nano, zone), zoned, true
}

// fraction reads the optional fraction of a second.
func fraction(s string) (nano int, rest string, ok bool) {
	if s == "" || s[0] != '.' {
		return 0, s, true
	}
	i, unit := 1, 100_000_000
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		nano += int(s[i]-'0') * unit
		unit /= 10
	}
	return nano, s[i:], i > 1
}

// parseOffset reads "+05:30" as seconds east of UTC; at most 14:00 (EPCIS
// section 7.4.1).
func parseOffset(s string) (seconds int, ok bool) {
	if len(s) != len("+05:30") || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	hours, ok1 := digits(s[1:3])
	minutes, ok2 := digits(s[4:6])
	if !ok1 || !ok2 || minutes > 59 || hours*60+minutes > 14*60 {
		return 0, false
	}
	seconds = hours*3600 + minutes*60
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

func digits(s string) (n int, ok bool) {
	for i := range len(s) {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int(c)
	}
	return n, true
}

func daysIn(month, year int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}
