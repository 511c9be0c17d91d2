// Package gs1 reads and writes the identifiers that DSCSA documents and
// packages carry: GTIN, NDC, SGTIN, lot, SSCC, GLN and the other keys of the
// GS1 General Specifications, as EPC URNs (EPC Tag Data Standard, pure
// identity), GS1 Digital Link URIs and element strings, bracketed or as
// scanners send them.
//
// One thing has one key, whatever its spelling: [ID.Key] is the path of the
// canonical Digital Link URI. What is stored and compared is the key.
//
//	urn:epc:id:sgtin:030116.0200116.A%2F1
//	https://example.com/shop/01/00301162001165/10/L7/21/A%2F1?17=280731
//	(01)00301162001165(17)280731(21)A/1        all 01/00301162001165/21/A%2F1
//	urn:epc:idpat:sgtin:030116.0200116.*           01/00301162001165
//	urn:epc:class:lgtin:030116.0200116.L7          01/00301162001165/10/L7
//	urn:epc:id:sscc:030116.01001227967             00/003011610012279676
//	urn:epc:id:sgln:030777.100002.0                414/0307771000025
//	urn:epc:id:pgln:030777.100002                  417/0307771000025
//	DEA:AB1234567                                  dea/AB1234567
//	http://example.com/dock/4                      itself
//
// # Rules
//
//   - Serials compare after percent-decoding, by case, with their leading
//     zeros; they are 1 to 20 of the 82 characters.
//   - A lot or a date that comes with a serial is no part of the identity.
//   - The extension "0" of a location means none.
//   - Wrong lengths, characters and escapes are refused. A wrong check digit is
//     refused too, but the identifier comes beside the error, as spelled:
//     published documents have them, and whoever checks a document decides.
//   - What the length of a company prefix is, only URNs tell. It is kept to
//     write the URN again and is no part of the identity.
//
// Nothing here keeps state, so there is nothing to undo: a call that fails
// returns a typed [Error] that names its rule and says what to change.
package gs1
