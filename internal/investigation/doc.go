// Package investigation keeps what is done about suspect product (FD&C Act
// section 582(b) to (e)(4)): who suspected what, which packages were verified,
// how it ended, and what FDA was told in time.
//
//	open ──► cleared                       the quarantine is released (K3 starts)
//	  └────► illegitimate ──► disposed     the quarantine becomes one of illegitimate
//	              │                        product; with its disposition K4 starts
//	              └─► notification: due ► due_soon ► overdue ─┬─► submitted
//	                        └───────────────┴─────────────────┘
//
// Invariants, each by a named constraint or trigger of the database:
//
//   - An investigation has one hold from its first moment. The hold is released
//     by the end of the investigation and by nothing else; that of illegitimate
//     product only after FDA was asked to terminate its notification, and then
//     by another person than determined it.
//   - It ends once. It is cleared when as many packages were verified as the law
//     asks of the company (dscsa.md S4) and of none the last word is that it does
//     not match; and, where FDA had asked about it, after FDA was told.
//   - A determination opens one initial notification in the same transaction, due
//     24 hours after it by the database's clock. Nobody moves either time.
//   - What was submitted is on record with the version of the form that was sent.
//     A late submission stays late.
//   - Everything is only added to. The tables have no update and no delete.
//
// Every change is made by a Desk, in the caller's transaction, which holds the
// head of the tenant's chain before anything that decides: of two people who end
// an investigation at the same moment one is told that it has ended. Both
// holds, with reason and evidence, are decisions of the custody chain, and so
// sealed and provable like the rest of it.
//
// A Chaser reminds people of notifications that are not submitted 12, 20 and 24
// hours after the determination: a row of notification_alert, once for each, and
// a line in the log, at the last one of level ERROR.
//
// What happens on failure. Nothing half-written: it is one transaction. Outcome
// of a commit unknown: the same request under its key finds the answer. The
// chaser dies, or two lead for a moment: the row's key makes it one reminder; the
// line is written before the commit, so it may come twice and is never missing.
// No worker runs: reminders come late, all that are due at once; the API shows
// the countdown meanwhile. Postgres away: the next round is the retry.
//
// The product does not send anything to FDA. CDER NextGen has no published
// interface, so a person types the form there, or mails it, and says so here.
package investigation
