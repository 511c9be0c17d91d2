package temporal

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"

	"github.com/recourse/recourse/internal/freeport"
)

// Config is where the server listens and where its databases are.
type Config struct {
	Port     int // of the frontend on 127.0.0.1
	PGHost   string
	PGPort   int
	Password string // of Login
}

// Server is a running Temporal.
type Server struct{ server temporal.Server }

const loopback = "127.0.0.1"

// shards is fixed for the life of the databases.
const shards = 4

// Start migrates the databases and starts the server. It returns once the
// server listens; the namespace is somebody else's to make.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	logger := log.NewZapLogger(log.BuildZapLogger(log.Config{Stdout: true, Level: "error"}))
	store := func(database string) *config.SQL {
		return &config.SQL{
			PluginName: "postgres12_pgx", DatabaseName: database, ConnectAddr: address(cfg.PGHost, cfg.PGPort), ConnectProtocol: "tcp",
			User: Login, Password: cfg.Password, MaxConns: 20, MaxIdleConns: 20, MaxConnLifetime: time.Hour,
		}
	}
	if err := migrate(store, logger); err != nil {
		return nil, err
	}
	c, hosts, err := configure(ctx, cfg.Port, store)
	if err != nil {
		return nil, err
	}
	authorizer, err := authorization.GetAuthorizerFromConfig(&c.Global.Authorization)
	if err != nil {
		return nil, fmt.Errorf("temporal's authorizer: %w", err)
	}
	claims, err := authorization.GetClaimMapperFromConfig(&c.Global.Authorization, logger)
	if err != nil {
		return nil, fmt.Errorf("temporal's claims: %w", err)
	}
	server, err := temporal.NewServer(
		temporal.WithConfig(c), temporal.ForServices(temporal.DefaultServices), temporal.WithStaticHosts(hosts), temporal.WithLogger(logger),
		temporal.WithAuthorizer(authorizer), temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return claims }),
		temporal.WithDynamicConfigClient(limits),
	)
	if err != nil {
		return nil, fmt.Errorf("make Temporal: %w", err)
	}
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("start Temporal: %w", err)
	}
	return &Server{server: server}, nil
}

// Stop ends the server.
func (s *Server) Stop() error { return s.server.Stop() }

// limits are raised: the defaults are for a shared cluster, and a load test
// would measure them.
var limits = dynamicconfig.StaticClient{
	dynamicconfig.FrontendRPS.Key():                        100_000,
	dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key(): 100_000,
	dynamicconfig.HistoryPersistenceMaxQPS.Key():           100_000,
	dynamicconfig.FrontendPersistenceMaxQPS.Key():          100_000,
	dynamicconfig.MatchingPersistenceMaxQPS.Key():          100_000,
	// A new namespace and its search attributes are known at once.
	dynamicconfig.NamespaceCacheRefreshInterval.Key(): 200 * time.Millisecond,
}

func configure(ctx context.Context, port int, store func(string) *config.SQL) (*config.Config, map[primitives.ServiceName]static.Hosts, error) {
	c := &config.Config{Services: map[string]config.Service{}}
	c.Global.Membership.MaxJoinDuration = 30 * time.Second
	c.Global.Membership.BroadcastAddress = loopback
	c.Persistence = config.Persistence{
		NumHistoryShards: shards, DefaultStore: "default", VisibilityStore: "visibility",
		DataStores: map[string]config.DataStore{"default": {SQL: store(Database)}, "visibility": {SQL: store(VisibilityDatabase)}},
	}
	c.ClusterMetadata = &cluster.Config{
		FailoverVersionIncrement: 10, MasterClusterName: "active", CurrentClusterName: "active",
		ClusterInformation: map[string]cluster.ClusterInformation{
			"active": {Enabled: true, InitialFailoverVersion: 1, RPCAddress: address(loopback, port)},
		},
	}
	c.DCRedirectionPolicy.Policy = "noop"
	for _, state := range []*string{
		&c.Archival.History.State, &c.Archival.Visibility.State,
		&c.NamespaceDefaults.Archival.History.State, &c.NamespaceDefaults.Archival.Visibility.State,
	} {
		*state = "disabled"
	}
	c.PublicClient.HostPort = address(loopback, port)

	hosts := map[primitives.ServiceName]static.Hosts{}
	for _, service := range []primitives.ServiceName{
		primitives.FrontendService, primitives.HistoryService, primitives.MatchingService, primitives.WorkerService,
	} {
		p := port
		if service != primitives.FrontendService {
			var err error
			if p, err = freeport.Find(ctx); err != nil {
				return nil, nil, err
			}
		}
		c.Services[string(service)] = config.Service{RPC: config.RPC{GRPCPort: p, BindOnIP: loopback}}
		hosts[service] = static.SingleLocalHost(address(loopback, p))
	}
	return c, hosts, nil
}
