// Package saga runs a flow of steps so that it ends in exactly one way: done,
// or undone.
//
// A flow is a list of stages; the steps of a stage run side by side. A step is
// compensatable until the pivot, the pivot decides, and every step after it is
// repeated until it succeeds.
//
//	begin ─► stages ─► completed
//	            └─ a step fails ─► undo in reverse order ─► compensated | rejected
//	                                   └─ an undo keeps failing ─► attention ─► …
//
// Invariants. The undo of a step is registered before the step runs, so a step
// whose outcome nobody learned is undone too. Undos run one after another in
// the strict reverse of the declared order, on a context that no cancellation
// reaches, and are repeated until they succeed or two people say that they did
// it by hand. A step that was definitely refused is not undone. Nothing here
// has an execution timeout: a saga that the server ended would never be undone.
//
// A step may wait for somebody outside: the buyer's receipt, a person's
// decision. It looks again when it is woken, and by itself ever more rarely; it
// can be cancelled meanwhile, until the pivot. How long it waits is its own
// policy.
//
// What happens on failure. A compensatable step is tried four times and then
// given up. A pivot, a step past it and an undo are tried eight times in a
// burst; then the saga is in attention, visible to everybody, and goes on
// trying slowly or when people tell it to. A step that says our own request or
// credential is wrong goes to attention at once: undoing would only spread the
// damage. A workflow that is terminated or lost is started again by the
// sweeper; the book then says whether it goes forward (past the pivot, settled
// steps answer from their rows) or undoes every step there could have been.
package saga
