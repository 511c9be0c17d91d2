package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const someReport = `{"object":"report","report":"trial_balance","columns":[{"name":"account_code","kind":"text"},{"name":"currency","kind":"text"},` +
	`{"name":"opening_debit","kind":"money"}],"rows":[{"account_code":"1020","currency":"usd","opening_debit":150000}],"cover":{"entity":"main",` +
	`"basis":"accounting_period","final":true,"row_count":1,"control_totals":[{"currency":"usd","column":"opening_debit","amount":150000}],"balanced":true,` +
	`"checkpoint":{"seq":7,"hash":"ab"},"data_sha256":"cd"}}`

// reporting is an API that answers with body and the digest of sent.
func reporting(t *testing.T, body, sent string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/reports/account_statement" {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"code":"validation_failed","status":400,"errors":[{"pointer":"#/parameters/account","detail":"is missing"}]}`))
			return
		}
		sum := sha256.Sum256([]byte(sent))
		w.Header().Set(http.TrailerPrefix+"Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":")
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func call(t *testing.T, api string, args ...string) (code int, out, talk string) {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte("sk_test_1"), 0o600))
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), streams{&stdout, &stderr}, append(args, "-api", api, "-key-file", key))
	return code, stdout.String(), stderr.String()
}

func TestAReportOnTheCommandLine(t *testing.T) {
	t.Parallel()
	api := reporting(t, someReport, someReport)
	code, out, talk := call(t, api, "report", "trial_balance", "-period", "2026-10")
	require.Equal(t, exitOK, code, talk)
	require.Equal(t, "ACCOUNT_CODE  CURRENCY  OPENING_DEBIT\n1020          usd       1500.00\n", out)
	require.Contains(t, talk, "total opening_debit 1500.00 usd")
	require.Contains(t, talk, "balanced: true")

	code, out, _ = call(t, api, "report", "trial_balance", "-period", "2026-10", "-output", "json")
	require.Equal(t, exitOK, code)
	require.Equal(t, someReport, out, "stdout is the report and nothing else") //nolint:testifylint // byte for byte

	file := filepath.Join(t.TempDir(), "out.json")
	code, out, _ = call(t, api, "report", "trial_balance", "-period", "2026-10", "-output", "json", "-file", file)
	require.Equal(t, exitOK, code)
	require.Empty(t, out)
	have, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, someReport, string(have)) //nolint:testifylint // byte for byte

	code, _, talk = call(t, api, "ledger", "statement", "-period", "2026-10")
	require.Equal(t, exitUsage, code)
	require.Contains(t, talk, "account is missing")
	code, _, talk = call(t, api, "report", "trial_balance", "-output", "pdf")
	require.Equal(t, exitUsage, code)
	require.Contains(t, talk, "xlsx")
	code, _, _ = call(t, api, "report", "nothing")
	require.Equal(t, exitUsage, code)
}

func TestAReportThatIsNotWholeLeavesNoFile(t *testing.T) {
	t.Parallel()
	api := reporting(t, someReport[:40], someReport)
	file := filepath.Join(t.TempDir(), "out.json")
	code, _, talk := call(t, api, "report", "trial_balance", "-period", "2026-10", "-output", "json", "-file", file)
	require.Equal(t, exitUnreachable, code)
	require.Contains(t, talk, "digest")
	left, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Empty(t, left)
}
