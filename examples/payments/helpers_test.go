package payments

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	_ "embed"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/devicetotp/jsonapi"
	"example.com/devicetotp/verifier"
)

//go:embed schema.sql
var schema string

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func newDatabase(t *testing.T) (dsn string) {
	t.Helper()
	dsn = pgtest.Need(t).Database(t)
	_, err := opened(t, dsn).ExecContext(t.Context(), schema)
	require.NoError(t, err)
	return dsn
}

func opened(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

const password = "superSecret12345!"

// patient are limits for a machine that has other things to do.
var patient = devicetotp.Limits{RoundsTimeout: time.Minute, StoreTimeout: time.Minute, VerifierTimeout: time.Minute}

// A world is the service on a database of its own, over HTTP, with the phones and the
// clock of the kit.
type world struct {
	*devicetotptest.World
	t       *testing.T
	db      *sql.DB
	options Options
	service *Service
	server  *httptest.Server
	log     *logged
	session sync.Map // of a token
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{World: devicetotptest.New(t), t: t, db: opened(t, newDatabase(t)), log: &logged{}}
	keys, err := credential.NewKeyring("test", credential.NewKey("test"))
	require.NoError(t, err)
	w.options = Options{DB: w.db, Keys: keys, Clock: w.Clock, Limits: patient, Log: slog.New(slog.NewJSONHandler(w.log, nil)),
		Auth: jsonapi.Bearer(w.authenticate), EndSessions: w.endSessions}
	w.service, err = New(t.Context(), w.options)
	require.NoError(t, err)
	handler, err := w.service.Handler()
	require.NoError(t, err)
	w.server = httptest.NewServer(handler)
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) authenticate(_ context.Context, token string) (jsonapi.Principal, error) {
	id, ok := w.session.Load(token)
	if !ok {
		return jsonapi.Principal{}, jsonapi.ErrInvalidToken
	}
	return jsonapi.Principal{AccountID: id.(string)}, nil
}

func (w *world) endSessions(r *http.Request, accountID string) error {
	w.session.Range(func(token, id any) bool {
		if id == accountID && r.Header.Get("Authorization") != "Bearer "+token.(string) {
			w.session.Delete(token)
		}
		return true
	})
	return nil
}

// signIn returns the token of a new session.
func (w *world) signIn(id string) (token string) {
	token = rand.Text()
	w.session.Store(token, id)
	return token
}

// user registers a user some time ago, with the bcrypt hash of the password, and
// returns the token of a session.
func (w *world) user(ago time.Duration) (id, token string) {
	w.t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	require.NoError(w.t, err)
	require.NoError(w.t, w.db.QueryRowContext(w.t.Context(), `INSERT INTO users (email, password_hash, created_at) VALUES ($1, $2, $3) RETURNING id`,
		rand.Text(), string(hash), w.Clock.Now().Add(-ago)).Scan(&id))
	return id, w.signIn(id)
}

// renew gives the user an argon2id hash of the password, so that no proof of it starts a
// renewal, which would change the user at some later time.
func (w *world) renew(id string) {
	w.t.Helper()
	hash, err := verifier.DefaultHasher().Hash(w.t.Context(), credential.NewSecret(password))
	require.NoError(w.t, err)
	w.exec(`UPDATE users SET password_hash = $2 WHERE id = $1`, id, hash)
}

func (w *world) payment(userID string) (id string) {
	w.t.Helper()
	require.NoError(w.t, w.db.QueryRowContext(w.t.Context(), `INSERT INTO payments (user_id, cents) VALUES ($1, 100) RETURNING id`, userID).Scan(&id))
	return id
}

// exec changes what is stored beside the service.
func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	_, err := w.db.ExecContext(w.t.Context(), query, args...)
	require.NoError(w.t, err)
}

// reply is what a client gets.
type reply struct {
	status int
	header http.Header
	text   string
}

func (w *world) get(path, token string) reply {
	w.t.Helper()
	return w.send(http.MethodGet, path, token, "")
}

func (w *world) post(path, token, body string) reply {
	w.t.Helper()
	return w.send(http.MethodPost, path, token, body)
}

func (w *world) send(method, path, token, body string) reply {
	w.t.Helper()
	mediaType := "application/json"
	if strings.HasPrefix(path, "/user/") {
		mediaType = jsonapi.MediaType
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+path, strings.NewReader(body))
	require.NoError(w.t, err)
	r.Header.Set("Content-Type", mediaType)
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := w.server.Client().Do(r)
	require.NoError(w.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(w.t, err)
	return reply{response.StatusCode, response.Header, string(text)}
}

// create asks for a device at the published endpoint and returns its phone.
func (w *world) create(token, attributes string) *devicetotptest.Phone {
	w.t.Helper()
	got := w.post("/user/devices/totp", token, `{"data":{"type":"deviceTOTP","attributes":{`+attributes+`}}}`)
	require.Equal(w.t, http.StatusCreated, got.status, got.text)
	var document struct {
		Data struct {
			ID         string
			Attributes struct{ Secret, Algorithm string }
		}
	}
	require.NoError(w.t, json.Unmarshal([]byte(got.text), &document))
	secret, err := credential.ParseBase32(document.Data.Attributes.Secret)
	require.NoError(w.t, err)
	algorithm, err := credential.ParseAlgorithm(document.Data.Attributes.Algorithm)
	require.NoError(w.t, err)
	return w.Phone(devicetotp.DeviceTOTP{ID: document.Data.ID, Secret: secret, Algorithm: algorithm, Digits: 6, Period: 30 * time.Second})
}

// code waits for a new time step and returns the code of the phone.
func (w *world) code(p *devicetotptest.Phone) string {
	w.Clock.Advance(30 * time.Second)
	return p.Code().Reveal()
}

func (w *world) approve(token, payment, code, deviceID string) reply {
	w.t.Helper()
	return w.post("/payments/"+payment+"/approve", token, `{"code":"`+code+`","device_id":"`+deviceID+`","cents":100}`)
}

// refused requires a refusal in the form of the service.
func (got reply) refused(t *testing.T, status int, code string) refusal {
	t.Helper()
	var document struct{ Error refusal }
	require.NoError(t, json.Unmarshal([]byte(got.text), &document), got.text)
	require.Equal(t, [2]any{status, code}, [2]any{got.status, document.Error.Code}, got.text)
	require.NotEmpty(t, document.Error.Message)
	require.Equal(t, "no-store", got.header.Get("Cache-Control"))
	return document.Error
}

// logged is a log that may be read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
