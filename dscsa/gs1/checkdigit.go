package gs1

// CheckDigit returns the digit that completes digits (GS1 General
// Specifications section 7.9: modulo 10, weights 3 and 1 from the right), as
// an ASCII digit. It returns 0 when digits holds anything else than digits.
func CheckDigit(digits string) byte {
	if !allDigits(digits) && digits != "" {
		return 0
	}
	return checkDigit(digits)
}

// checkDigit is CheckDigit of what is known to be digits.
func checkDigit[T string | []byte](digits T) byte {
	odd, even := 0, 0 // places from the right
	for i := len(digits) - 1; i >= 0; i -= 2 {
		odd += int(digits[i] - '0')
		if i > 0 {
			even += int(digits[i-1] - '0')
		}
	}
	return byte('0' + (10-(3*odd+even)%10)%10)
}

// ValidGTIN reports whether s is a GTIN-14 with its check digit.
func ValidGTIN(s string) bool { return len(s) == 14 && checked(s) }

// ValidGLN reports whether s is a GLN, 13 digits, with its check digit.
func ValidGLN(s string) bool { return len(s) == 13 && checked(s) }

// ValidSSCC reports whether s is an SSCC, 18 digits, with its check digit.
func ValidSSCC(s string) bool { return len(s) == 18 && checked(s) }

// checked reports whether the last digit of s is its check digit.
func checked(s string) bool {
	return len(s) > 1 && CheckDigit(s[:len(s)-1]) == s[len(s)-1]
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return s != ""
}

// checkedAlpha reports whether the last two characters of s are the check
// character pair of the rest (General Specifications section 7.9.5): weights
// are the primes from the right, modulo 1021.
func checkedAlpha(s string) bool {
	const pairs = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	primes := [...]int{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83}
	n := len(s) - 2
	if n < 1 || n > len(primes) {
		return false
	}
	sum := 0
	for i := range n {
		sum += cset82Value(s[i]) * primes[n-1-i]
	}
	sum %= 1021
	return s[n] == pairs[sum>>5] && s[n+1] == pairs[sum&31]
}

// cset82Value is the place of a character in the set of 82.
func cset82Value(c byte) int {
	v := 0
	for b := range c {
		if cset82[b] {
			v++
		}
	}
	return v
}
