package api

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/recourse/recourse/api/epcisapi"
	"github.com/recourse/recourse/internal/auth"
)

// documentsAt is where the dialect of EPCIS is spoken.
const documentsAt = "/epcis"

// mountDocuments serves the dialect of EPCIS, for the same credentials and by
// the same table of roles as everything else. It takes its own bodies: those are
// large, and not all JSON.
func (s *server) mountDocuments(engine *gin.Engine) {
	s.documents = epcisapi.New(epcisapi.Config{
		Repository: s.cfg.Documents, Log: s.log, Now: s.cfg.Now, BaseURL: s.cfg.BaseURL,
		Who: func(r *http.Request) auth.Principal { return whereOf(r.Context()).who },
	})
	serve := func(c *gin.Context) { s.documents.ServeHTTP(c.Writer, c.Request) }
	known := func(c *gin.Context) {
		if s.documents.Operation(c.Request) == "" {
			serve(c) // says that there is no such thing
			c.Abort()
		}
	}
	group := engine.Group(documentsAt, known, s.authenticate, s.authorize)
	group.Any("", serve)
	group.Any("/*path", serve)
}

// isDocuments reports whether a route of Gin's is the dialect's.
func isDocuments(path string) bool {
	return path == documentsAt || strings.HasPrefix(path, documentsAt+"/")
}
