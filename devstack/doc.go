// Package devstack brings the whole product up on one machine: a private
// Postgres, Temporal with its Web UI, the simulators, the API and the worker.
//
// The supervisor (Up) starts everything in order and starts again what dies:
//
//	postgres ─► stack (Temporal, UI, simulators) ∥ migrations, seeds ─► api, worker ─► ready
//
// Each of postgres, stack, api and worker is a process of its own and can be
// killed alone; it comes back on the same port with its data. Data survive a
// restart of the whole. When the supervisor ends, however it ends, nothing of
// it is left running. One supervisor a folder: a second one names the first.
package devstack
