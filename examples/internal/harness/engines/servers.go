package engines

import (
	"context"
	"errors"

	"example.com/devicetotp/credential/sqlstore/sqltest/mariadbtest"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgbouncertest"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

func startPostgres(ctx context.Context) (Server, error) {
	s, err := pgtest.Start(ctx)
	if err != nil {
		return nil, err
	}
	return ours(s)
}

func startMariaDB(ctx context.Context) (Server, error) {
	s, err := mariadbtest.Start(ctx)
	if err != nil {
		return nil, err
	}
	return ours(s)
}

// ours returns the server unless the environment names it.
func ours(s interface {
	Server
	Address() (network, address string)
},
) (Server, error) {
	if network, _ := s.Address(); network == "" {
		return nil, errNotOurs
	}
	return s, nil
}

func startGalera(ctx context.Context) (Server, error) {
	c, err := mariadbtest.StartCluster(ctx)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// pooled is a PostgreSQL that is reached through a pooler. What restarts is
// PostgreSQL.
type pooled struct {
	*pgtest.Server
	pooler *pgbouncertest.Pooler
}

func startPgBouncer(ctx context.Context) (Server, error) {
	server, err := pgtest.Start(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := ours(server); err != nil {
		return nil, err
	}
	pooler, err := pgbouncertest.Start(ctx, server)
	if err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	return &pooled{server, pooler}, nil
}

func (p *pooled) CreateDatabase(ctx context.Context) (dsn string, drop func(context.Context) error, err error) {
	dsn, drop, err = p.Server.CreateDatabase(ctx)
	return pgtest.With(p.pooler.DSN(dsn), "default_query_exec_mode", "exec"), drop, err
}

func (p *pooled) Stop() error { return errors.Join(p.pooler.Stop(), p.Server.Stop()) }
