package epcis_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/epcis"
)

// around puts text into a document that is fine without it.
func around(text string) string {
	return `<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1" xmlns:v="http://vendor.example/ns" schemaVersion="1.2" creationDate="2026-03-01T08:00:00Z"><EPCISBody><EventList>` +
		`<ObjectEvent><eventTime>2026-03-01T08:00:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>` +
		`<epcList><epc>urn:epc:id:sscc:0360001.1000000001</epc></epcList><action>OBSERVE</action>` + text +
		`</ObjectEvent></EventList></EPCISBody></e:EPCISDocument>`
}

func TestWhatIsNotXMLIsRefused(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("<v:a>", 10_000) + strings.Repeat("</v:a>", 10_000)
	manyAttributes := "<v:a"
	for i := range 101 {
		manyAttributes += " a" + strings.Repeat("b", i) + `="1"`
	}
	manyNamespaces := ""
	for i := range 1001 {
		manyNamespaces += fmt.Sprintf(`<v:a xmlns:n="http://%d.example/"/>`, i)
	}
	tests := map[string]struct{ rule, document string }{
		"empty":                             {epcis.RuleFormat, ""},
		"blank":                             {epcis.RuleFormat, " \n "},
		"words":                             {epcis.RuleFormat, "EPCIS"},
		"billion laughs":                    {epcis.RuleDoctype, `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]>` + around("<v:a>&lol2;</v:a>")},
		"external subset":                   {epcis.RuleDoctype, `<!DOCTYPE a SYSTEM "file:///etc/passwd">` + around("")},
		"public subset":                     {epcis.RuleDoctype, `<!DOCTYPE a PUBLIC "-//A" "http://a.example/">` + around("")},
		"two doctypes":                      {epcis.RuleDoctype, `<!DOCTYPE a><!DOCTYPE a>` + around("")},
		"doctype within":                    {epcis.RuleDoctype, around("<!DOCTYPE a>")},
		"doctype behind":                    {epcis.RuleDoctype, around("") + "<!DOCTYPE a>"},
		"doctype without name":              {epcis.RuleSyntax, "<!DOCTYPE >" + around("")},
		"entity":                            {epcis.RuleEntity, around("<v:a>&nbsp;</v:a>")},
		"entity in attribute":               {epcis.RuleEntity, around(`<v:a b="&x;"/>`)},
		"bare ampersand":                    {epcis.RuleSyntax, around("<v:a>A & B</v:a>")},
		"unended reference":                 {epcis.RuleSyntax, around("<v:a>&amp</v:a>")},
		"reference to NUL":                  {epcis.RuleSyntax, around("<v:a>&#0;</v:a>")},
		"reference to surrogate":            {epcis.RuleSyntax, around("<v:a>&#xD800;</v:a>")},
		"reference beyond Unicode":          {epcis.RuleSyntax, around("<v:a>&#x110000;</v:a>")},
		"reference of many digits":          {epcis.RuleSyntax, around("<v:a>&#99999999999999999999;</v:a>")},
		"reference with sign":               {epcis.RuleSyntax, around("<v:a>&#+65;</v:a>")},
		"control character":                 {epcis.RuleSyntax, around("<v:a>\x01</v:a>")},
		"NUL":                               {epcis.RuleSyntax, around("<v:a>\x00</v:a>")},
		"U+FFFE":                            {epcis.RuleSyntax, around("<v:a>\ufffe</v:a>")},
		"Latin-1":                           {epcis.RuleEncoding, around("<v:a>M\xfcller</v:a>")},
		"overlong UTF-8":                    {epcis.RuleEncoding, around("<v:a>\xc0\xaf</v:a>")},
		"surrogate in UTF-8":                {epcis.RuleEncoding, around("<v:a>\xed\xa0\x80</v:a>")},
		"half a character":                  {epcis.RuleEncoding, around("") + "\xe2\x82"},
		"Latin-1 declared":                  {epcis.RuleEncoding, `<?xml version="1.0" encoding="ISO-8859-1"?>` + around("")},
		"UTF-16 declared only":              {epcis.RuleEncoding, `<?xml version="1.0" encoding="UTF-16"?>` + around("")},
		"UTF-16 without a mark":             {epcis.RuleEncoding, "<\x00a\x00/\x00>\x00"},
		"UTF-16 without a mark, big endian": {epcis.RuleEncoding, "\x00<\x00a\x00/\x00>"},
		"XML 1.1":                           {epcis.RuleSyntax, `<?xml version="1.1"?>` + around("")},
		"declaration without version":       {epcis.RuleSyntax, `<?xml encoding="UTF-8"?>` + around("")},
		"declaration in wrong order":        {epcis.RuleSyntax, `<?xml version="1.0" standalone="yes" encoding="UTF-8"?>` + around("")},
		"declaration after a blank":         {epcis.RuleSyntax, "\n" + `<?xml version="1.0"?>` + around("")},
		"instruction called XML":            {epcis.RuleSyntax, around("<?XML a?>")},
		"instruction with colon":            {epcis.RuleSyntax, around("<?a:b c?>")},
		"mismatched tags":                   {epcis.RuleSyntax, around("<v:a></v:b>")},
		"end tag too many":                  {epcis.RuleSyntax, around("") + "</a>"},
		"end tag with attribute":            {epcis.RuleSyntax, around(`<v:a></v:a b="1">`)},
		"two roots":                         {epcis.RuleSyntax, around("") + "<a/>"},
		"text before":                       {epcis.RuleSyntax, "<!-- a -->text" + around("")},
		"text behind":                       {epcis.RuleSyntax, around("") + "text<a>"},
		"text at the end":                   {epcis.RuleSyntax, around("") + "text"},
		"CDATA outside":                     {epcis.RuleSyntax, around("") + "<![CDATA[a]]>"},
		"]]> in text":                       {epcis.RuleSyntax, around("<v:a>]]></v:a>")},
		"-- in comment":                     {epcis.RuleSyntax, around("<!-- a -- b -->")},
		"--- ends comment":                  {epcis.RuleSyntax, around("<!-- a --->")},
		"unknown declaration":               {epcis.RuleSyntax, around("<!ELEMENT a>")},
		"< in attribute":                    {epcis.RuleSyntax, around(`<v:a b="<"/>`)},
		"attribute twice":                   {epcis.RuleSyntax, around(`<v:a b="1" b="2"/>`)},
		"attribute twice by namespace":      {epcis.RuleNamespace, around(`<v:a xmlns:w="http://vendor.example/ns" v:b="1" w:b="2"/>`)},
		"attribute without value":           {epcis.RuleSyntax, around("<v:a b/>")},
		"attribute without quotes":          {epcis.RuleSyntax, around("<v:a b=1/>")},
		"attributes without blank":          {epcis.RuleSyntax, around(`<v:a b="1"c="2"/>`)},
		"/ within a tag":                    {epcis.RuleSyntax, around("<v:a / >")},
		"no name":                           {epcis.RuleSyntax, around("< v:a/>")},
		"name begins with a digit":          {epcis.RuleSyntax, around("<1a/>")},
		"local name begins with digit":      {epcis.RuleSyntax, around("<v:1a/>")},
		"two colons":                        {epcis.RuleSyntax, around("<v:a:b/>")},
		"prefix not declared":               {epcis.RuleNamespace, around("<w:a/>")},
		"prefix of attribute":               {epcis.RuleNamespace, around(`<v:a w:b="1"/>`)},
		"prefix out of scope":               {epcis.RuleNamespace, around(`<v:a xmlns:w="http://w.example/"/><w:a/>`)},
		"prefix unbound":                    {epcis.RuleNamespace, around(`<v:a xmlns:w=""/>`)},
		"xmlns declared":                    {epcis.RuleNamespace, around(`<v:a xmlns:xmlns="http://w.example/"/>`)},
		"xml redeclared":                    {epcis.RuleNamespace, around(`<v:a xmlns:xml="http://w.example/"/>`)},
		"namespace of xml":                  {epcis.RuleNamespace, around(`<v:a xmlns:w="http://www.w3.org/XML/1998/namespace"/>`)},
		"10,000 deep":                       {epcis.RuleLimit, around(deep)},
		"a huge attribute":                  {epcis.RuleLimit, around(`<v:a b="` + strings.Repeat("x", 2<<20) + `"/>`)},
		"a huge text":                       {epcis.RuleLimit, around("<v:a>" + strings.Repeat("x", 2<<20) + "</v:a>")},
		"a huge text of short pieces":       {epcis.RuleLimit, around("<v:a>" + strings.Repeat("xxxxxxxx<!---->", 1<<18) + "</v:a>")},
		"blanks without end":                {epcis.RuleFormat, strings.Repeat(" ", 10_000) + around("")},
		"too many namespaces":               {epcis.RuleNamespace, around(manyNamespaces)},
		"declaration cut short":             {epcis.RuleTruncated, "<?xml version='1.0'"},
		"instruction without end":           {epcis.RuleSyntax, around("<?a?b?>")},
		"reference to nothing":              {epcis.RuleSyntax, around("<v:a>&;</v:a>")},
		"a huge name":                       {epcis.RuleLimit, around("<v:" + strings.Repeat("x", 2000) + "/>")},
		"more attributes than a hundred":    {epcis.RuleLimit, around(manyAttributes + "/>")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := read(strings.NewReader(tt.document), epcis.Limits{})
			var refused *epcis.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, tt.rule, refused.Rule, "%v", err)
			require.False(t, refused.Resumable)
			require.NotEmpty(t, refused.Message)
		})
	}
}

func TestOddButAllowed(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"comment":                "<!-- - > <a> ]]> & -->",
		"CDATA":                  "<v:a><![CDATA[<b>&c;]] >]]></v:a>",
		"end of CDATA in pieces": "<v:a><![CDATA[]]]]><![CDATA[>]]></v:a>",
		"instruction":            "<?vendor a > b ??>",
		"blanks in tags":         "<v:a\n b = '1'\t></v:a\n >",
		"reference":              "<v:a>&#10;&#x1F600;&lt;</v:a>",
		"default namespace":      `<a xmlns="http://w.example/"><b xmlns=""/></a>`,
		"another prefix":         `<w:a xmlns:w="http://vendor.example/ns"/>`,
		"names of other letters": "<v:é·1/>",
		"CRLF":                   "<v:a>\r\n</v:a>\r",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, events, err := read(strings.NewReader(around(text)), epcis.Limits{})
			require.NoError(t, err)
			require.Len(t, events, 1)
		})
	}
}

func TestTextIsWhatXMLSaysItIs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a&lt;b&#x26;c":                         "a<b&c",
		" a \r\n b\rc ":                         "a \n b\nc",
		"a<!-- no -->b":                         "ab",
		"a<![CDATA[ < & \r\n]]>b":               "a < & \nb",
		"a <!-- --> b":                          "a  b",
		"<![CDATA[]]]]><![CDATA[>]]>":           "]]>",
		"before<v:b>within</v:b>after":          "beforeafter",
		" <v:b/> after <v:b/> <v:b/> more ":     "aftermore",
		"\t\u00a0x":                             "\u00a0x", // not white space of XML
		"<v:b c=' '/>":                          "",
		"é\U0001F600":                           "é\U0001F600",
		strings.Repeat("long ", 50_000) + "end": strings.Repeat("long ", 50_000) + "end",
	} {
		_, events, err := read(strings.NewReader(around("<v:a>"+text+"</v:a>")), epcis.Limits{})
		require.NoError(t, err)
		require.Equal(t, want, events[0].Extensions[0].Value)
	}
	_, events, err := read(strings.NewReader(around("<v:a b='1\t2\r\n3\n4&#10;5&quot;' c=\"'\"/>")), epcis.Limits{})
	require.NoError(t, err)
	require.Equal(t, "1 2 3 4\n5\"", events[0].Extensions[0].Attrs[0].Value)
	require.Equal(t, "'", events[0].Extensions[0].Attrs[1].Value)
}

func TestADocumentCutShortIsRefused(t *testing.T) {
	t.Parallel()
	whole := strings.TrimSpace(own(t, "full-1.2.xml"))
	for n := range len(whole) {
		_, _, err := read(strings.NewReader(whole[:n]), epcis.Limits{})
		var refused *epcis.Error
		require.ErrorAs(t, err, &refused, "%d bytes", n)
		require.False(t, refused.Resumable)
	}
}

func TestItDoesNotMatterHowADocumentArrives(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"full-1.2.xml", "full-2.0.xml", "soap-query.xml", "sbd.xml", "master-data.xml", "bare.xml"} {
		raw := own(t, name)
		doc, events, err := read(strings.NewReader(raw), epcis.Limits{})
		require.NoError(t, err)
		wide := func(order binary.AppendByteOrder) string {
			b := order.AppendUint16(nil, 0xfeff)
			for _, u := range utf16.Encode([]rune(strings.Replace(raw, "UTF-8", "UTF-16", 1))) {
				b = order.AppendUint16(b, u)
			}
			return string(b)
		}
		for how, r := range map[string]io.Reader{
			"byte by byte":         iotest.OneByteReader(strings.NewReader(raw)),
			"half by half":         iotest.HalfReader(strings.NewReader(raw)),
			"end with data":        iotest.DataErrReader(strings.NewReader(raw)),
			"byte order mark":      strings.NewReader("\ufeff" + raw),
			"CRLF":                 strings.NewReader(strings.ReplaceAll(raw, "\n", "\r\n")),
			"UTF-16 little endian": strings.NewReader(wide(binary.LittleEndian)),
			"UTF-16 big endian":    iotest.OneByteReader(strings.NewReader(wide(binary.BigEndian))),
		} {
			gotDoc, got, err := read(r, epcis.Limits{})
			require.NoError(t, err, "%s %s", name, how)
			require.Empty(t, cmp.Diff(events, got), "%s %s", name, how)
			require.Empty(t, cmp.Diff(doc, gotDoc), "%s %s", name, how)
		}
	}
}

// TestEachByteIsLookedAt puts each byte at each place of the words of eight
// bytes that are looked at at once.
func TestEachByteIsLookedAt(t *testing.T) {
	t.Parallel()
	for b := range 256 {
		for at := range 17 {
			text := strings.Repeat("x", at) + string([]byte{byte(b)}) + "yyyyyyyyyyyyyyyy"
			_, _, err := read(strings.NewReader(around("<!--"+text+"-->")), epcis.Limits{})
			if b >= ' ' && b < 0x80 || b == '\n' || b == '\t' || b == '\r' {
				require.NoError(t, err, "%#x at %d", b, at)
			} else {
				require.Error(t, err, "%#x at %d", b, at)
			}
		}
	}
}

func TestHalfOfUTF16IsRefused(t *testing.T) {
	t.Parallel()
	for _, tail := range []string{"\x00", "\x3d\xd8", "\x3d\xd8\x20\x00", "\x00\xdc"} {
		_, _, err := read(strings.NewReader("\xff\xfe<\x00a\x00>\x00"+tail), epcis.Limits{})
		var refused *epcis.Error
		require.ErrorAs(t, err, &refused)
		require.Equal(t, epcis.RuleEncoding, refused.Rule, "%v", err)
	}
}

// endless repeats a piece for ever and counts what was taken of it.
type endless struct {
	begin, piece string
	taken        int64
	rest         string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.begin != "" {
		n := copy(p, e.begin)
		e.begin = e.begin[n:]
		return n, nil
	}
	if e.rest == "" {
		e.rest = strings.Repeat(e.piece, 1+4096/len(e.piece))
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	e.taken += int64(n)
	return n, nil
}

func TestAnEndlessDocumentIsGivenUpSoon(t *testing.T) {
	t.Parallel()
	begin, _, _ := strings.Cut(around("<!-- here -->"), "<!-- here -->")
	header := `<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1"><EPCISHeader><extension><EPCISMasterData><VocabularyList><Vocabulary type="t"><VocabularyElementList>`
	limits := epcis.Limits{Bytes: 8 << 20, Text: 1 << 16, Event: 1 << 20, Header: 1 << 20}
	for name, source := range map[string]*endless{
		"elements in each other":  {begin: begin, piece: "<v:a>"},
		"elements in an event":    {begin: begin, piece: "<v:a/>"},
		"identifiers":             {begin: begin + "<epcList>", piece: "<epc>urn:epc:id:sscc:0360001.1000000001</epc>"},
		"text":                    {begin: begin + "<v:a>", piece: "text "},
		"text around elements":    {begin: begin, piece: "t<v:a/>"},
		"an attribute":            {begin: begin + "<v:a b='", piece: "text "},
		"a name":                  {begin: begin + "<v:a", piece: "a"},
		"blanks in a tag":         {begin: begin + "<v:a ", piece: " "},
		"a comment":               {begin: begin + "<!--", piece: "- "},
		"a CDATA section":         {begin: begin + "<![CDATA[", piece: "] "},
		"an instruction":          {begin: begin + "<?a ", piece: "? "},
		"blanks":                  {begin: begin, piece: " \n"},
		"events":                  {begin: begin + "</ObjectEvent>", piece: "<ObjectEvent/>"},
		"master data":             {begin: header, piece: `<VocabularyElement id="a"><attribute id="b">c</attribute></VocabularyElement>`},
		"what the header may not": {begin: `<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1"><EPCISHeader>`, piece: "<a/>"},
		"text of the frame":       {begin: `<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1"><EPCISHeader>`, piece: "a<!---->"},
		"names":                   {begin: begin, piece: "<v:a/>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := epcis.NewReader(source, limits)
			require.NoError(t, err)
			var refused *epcis.Error
			for range 8 << 20 {
				if _, err = r.Next(); err != nil {
					require.ErrorAs(t, err, &refused)
					if !refused.Resumable {
						break
					}
				}
			}
			require.Equal(t, epcis.RuleLimit, refused.Rule, "%v", err)
			require.LessOrEqual(t, source.taken, limits.Bytes+1)
			_, again := r.Next()
			require.Equal(t, err, again)
		})
	}
}

func TestWhatTheSourceSaysIsPassedOn(t *testing.T) {
	t.Parallel()
	raw := own(t, "full-1.2.xml")
	broken := io.MultiReader(strings.NewReader(raw[:len(raw)/2]), iotest.ErrReader(io.ErrClosedPipe))
	_, _, err := read(broken, epcis.Limits{})
	require.ErrorIs(t, err, io.ErrClosedPipe)
	_, err = epcis.NewReader(iotest.ErrReader(io.ErrClosedPipe), epcis.Limits{})
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

func TestEventsComeBeforeTheRestOfTheDocument(t *testing.T) {
	t.Parallel()
	body, _, ok := bytes.Cut(document(t, 3), []byte("    </EventList>"))
	require.True(t, ok)
	pr, pw := io.Pipe()
	go func() {
		_, err := pw.Write(body)
		pw.CloseWithError(err) // nil: as if the sender had hung up
	}()
	r, err := epcis.NewReader(pr, epcis.Limits{})
	require.NoError(t, err)
	for range 3 {
		_, err = r.Next()
		require.NoError(t, err)
	}
	_, err = r.Next()
	var refused *epcis.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, epcis.RuleTruncated, refused.Rule)
	require.Equal(t, "D-1", r.Document().Header.InstanceIdentifier)
}
