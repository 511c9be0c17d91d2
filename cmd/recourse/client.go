package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/internal/outbound"
)

// An apiClient speaks to the running product for the tools. Its address and
// key come from flags, the environment, or the file make run leaves behind.
type apiClient struct {
	base string
	key  string
	http *http.Client
}

// apiFlags are the flags of every command that speaks to the API.
type apiFlags struct {
	api  *string
	key  *string
	file *string
	role string
}

func addAPIFlags(f *flag.FlagSet, role string) apiFlags {
	return apiFlags{
		api:  f.String("api", os.Getenv("RECOURSE_API"), "address of the API, such as http://127.0.0.1:8080"),
		key:  f.String("key-file", os.Getenv("RECOURSE_API_KEY_FILE"), "file that holds the API key"),
		file: f.String("dev", ".recourse/dev.json", "what make run wrote; used for what the other flags leave open"),
		role: role,
	}
}

func (a apiFlags) client() (*apiClient, error) {
	c := &apiClient{base: *a.api, key: os.Getenv("RECOURSE_API_KEY"), http: outbound.Client("recourse-api", 40*time.Second)}
	if *a.key != "" {
		raw, err := os.ReadFile(*a.key)
		if err != nil {
			return nil, usagef("-key-file cannot be read: %w", err)
		}
		c.key = strings.TrimSpace(string(raw))
	}
	if c.base == "" || c.key == "" {
		var dev struct {
			API  string            `json:"api"`
			Keys map[string]string `json:"keys"`
		}
		raw, err := os.ReadFile(*a.file)
		if err != nil {
			return nil, usagef("no API is named: start one with make run, or give -api and -key-file (or RECOURSE_API and RECOURSE_API_KEY)")
		}
		if err := json.Unmarshal(raw, &dev); err != nil {
			return nil, usagef("%s cannot be read: %w", *a.file, err)
		}
		if c.base == "" {
			c.base = dev.API
		}
		if c.key == "" {
			c.key = dev.Keys[a.role]
		}
	}
	return c, nil
}

// read reads the flags of a command without arguments and returns its client.
func (a apiFlags) read(f *flag.FlagSet, args []string) (*apiClient, error) {
	if _, err := parse(f, args); err != nil {
		return nil, err
	}
	return a.client()
}

// one reads the flags of a command that is about one thing and returns its
// client and the thing's name. usage is what to say when there is not one.
func (a apiFlags) one(f *flag.FlagSet, args []string, usage string) (c *apiClient, name string, err error) {
	rest, err := parse(f, args)
	if err != nil {
		return nil, "", err
	}
	if len(rest) != 1 {
		return nil, "", usagef("%s", usage)
	}
	c, err = a.client()
	return c, rest[0], err
}

// A problem is an RFC 9457 answer of the API.
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Title  string `json:"title"`
	Errors []struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	} `json:"errors"`
}

func (p problem) Error() string {
	words := p.Detail
	if words == "" {
		words = p.Title
	}
	words = fmt.Sprintf("%s (%d %s)", words, p.Status, p.Code)
	for _, e := range p.Errors {
		words += "\n  " + e.Pointer + ": " + e.Detail
	}
	return words
}

func (c *apiClient) get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, nil, into)
}

// post sends body under a fresh idempotency key.
func (c *apiClient) post(ctx context.Context, path string, body, into any) error {
	return c.do(ctx, http.MethodPost, path, body, into)
}

func (c *apiClient) do(ctx context.Context, method, path string, body, into any) error {
	var payload io.Reader = http.NoBody
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		payload = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.base, "/")+path, payload)
	if err != nil {
		return usagef("the address of the API is wrong: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Accept", "application/json, application/problem+json")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", uuid.NewString())
	}
	res, err := c.http.Do(req)
	if err != nil {
		return unreachableError{fmt.Errorf("the API at %s does not answer: %w", c.base, err)}
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return unreachableError{fmt.Errorf("the API's answer broke off: %w", err)}
	}
	if res.StatusCode >= 300 {
		var p problem
		if err := json.Unmarshal(raw, &p); err != nil || p.Code == "" {
			return fmt.Errorf("the API answered %s", res.Status)
		}
		if p.Status == http.StatusServiceUnavailable {
			return unreachableError{p}
		}
		return p
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return errors.New("the API's answer is not the JSON this program knows: are both of one version?")
	}
	return nil
}
