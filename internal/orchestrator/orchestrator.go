// Package orchestrator prepares a Temporal cluster for the product: the
// namespace its workflows live in and the search attributes by which an
// operator finds a saga there. Everything here is idempotent.
package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Retention is how long Temporal keeps a closed workflow's history. Postgres
// keeps what happened for ever; this is for looking at how.
const Retention = 30 * 24 * time.Hour

// SearchAttributes are the names an operator can search sagas by, all keywords.
var SearchAttributes = []string{"RecourseSagaType", "RecourseState", "RecourseOrderRef", "RecourseTenant"}

// Prepare registers the namespace and the search attributes and returns once
// both can be used. It waits for a cluster that is still starting until ctx
// ends.
func Prepare(ctx context.Context, address, namespace string) error {
	c, err := client.NewLazyClient(client.Options{HostPort: address, Namespace: namespace})
	if err != nil {
		return fmt.Errorf("temporal at %s: %w", address, err)
	}
	defer c.Close()
	return poll(ctx, 100*time.Millisecond, func(ctx context.Context) error {
		if err := registerNamespace(ctx, c, namespace); err != nil {
			return err
		}
		if err := registerSearchAttributes(ctx, c, namespace); err != nil {
			return err
		}
		return usable(ctx, c, namespace)
	})
}

// usable asks with every attribute at once: the cluster's caches lag behind
// what it lists, and a start that came too early would be refused.
func usable(ctx context.Context, c client.Client, namespace string) error {
	var query []string
	for _, name := range SearchAttributes {
		query = append(query, name+" = 'none'")
	}
	_, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: namespace, Query: strings.Join(query, " and ")})
	if err != nil {
		return fmt.Errorf("use search attributes: %w", err)
	}
	return nil
}

func registerNamespace(ctx context.Context, c client.Client, namespace string) error {
	_, err := c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace:                        namespace,
		Description:                      "Recourse sagas",
		WorkflowExecutionRetentionPeriod: durationpb.New(Retention),
	})
	var exists *serviceerror.NamespaceAlreadyExists
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("register namespace %s: %w", namespace, err)
	}
	return nil
}

func registerSearchAttributes(ctx context.Context, c client.Client, namespace string) error {
	have, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return fmt.Errorf("list search attributes: %w", err)
	}
	missing := map[string]enums.IndexedValueType{}
	for _, name := range SearchAttributes {
		if _, ok := have.GetCustomAttributes()[name]; !ok {
			missing[name] = enums.INDEXED_VALUE_TYPE_KEYWORD
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: namespace, SearchAttributes: missing,
	})
	var exists *serviceerror.AlreadyExists
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("add search attributes: %w", err)
	}
	return errNotYet // until the list shows them
}

var errNotYet = errors.New("search attributes are not visible yet")

// poll repeats fn until it succeeds or ctx ends, and then tells fn's last word.
func poll(ctx context.Context, every time.Duration, fn func(context.Context) error) error {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		err := fn(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (last: %w)", ctx.Err(), err)
		case <-t.C:
		}
	}
}
