package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"example.com/devicetotp/examples/grpc/devicetotpv1"
)

// The field at fault is named as the message calls it, by every operation that can
// refuse one.
func TestFieldAtFaultIsNamed(t *testing.T) {
	const id, other = documentedID, otherID
	pin := proto.String("8299")
	imported := func(change func(*devicetotpv1.ImportRequest)) *devicetotpv1.ImportRequest {
		r := &devicetotpv1.ImportRequest{
			AccountId: "alice", DeviceId: other, Secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
			Period: durationpb.New(30 * time.Second), Digits: 6, Algorithm: "SHA1",
		}
		change(r)
		return r
	}
	code := func(change func(*devicetotpv1.AddCodeRequest)) *devicetotpv1.AddCodeRequest {
		r := &devicetotpv1.AddCodeRequest{AccountId: "alice", Kind: "account", Ttl: durationpb.New(time.Minute)}
		change(r)
		return r
	}
	user := func(method string) string { return "/devicetotp.v1.DeviceTOTPService/" + method }
	host := func(method string) string { return "/devicetotp.v1.DeviceTOTPOperatorService/" + method }
	for _, c := range []struct {
		method  string
		request proto.Message
		status  codes.Code
		reason  string
		field   string
	}{
		{user("Create"), &devicetotpv1.CreateRequest{DeviceId: "7"}, codes.InvalidArgument, "INVALID_ID", "device_id"},
		{user("Create"), &devicetotpv1.CreateRequest{Name: " x", Pin: pin}, codes.InvalidArgument, "INVALID_ARGUMENT", "name"},
		{user("Create"), &devicetotpv1.CreateRequest{Otp: proto.String("0")}, codes.PermissionDenied, "INVALID_CREDENTIALS", "otp"},
		{user("Create"), &devicetotpv1.CreateRequest{Password: proto.String("0")}, codes.PermissionDenied, "INVALID_CREDENTIALS", "password"},
		{user("Create"), &devicetotpv1.CreateRequest{Pin: proto.String("0")}, codes.PermissionDenied, "INVALID_CREDENTIALS", "pin"},
		{user("Create"), &devicetotpv1.CreateRequest{Password: proto.String("0"), Pin: proto.String("0")}, codes.PermissionDenied, "INVALID_CREDENTIALS", ""},
		{user("Verify"), &devicetotpv1.VerifyRequest{}, codes.PermissionDenied, "CREDENTIALS_REQUIRED", "code"},
		{user("Verify"), &devicetotpv1.VerifyRequest{Code: proto.String("0")}, codes.PermissionDenied, "INVALID_CREDENTIALS", "code"},
		{user("Prove"), &devicetotpv1.ProveRequest{}, codes.PermissionDenied, "CREDENTIALS_REQUIRED", ""},
		{user("Prove"), &devicetotpv1.ProveRequest{Pin: proto.String("0")}, codes.PermissionDenied, "INVALID_CREDENTIALS", "pin"},
		{user("Prove"), &devicetotpv1.ProveRequest{Pin: pin, Kinds: []string{"unheard of"}}, codes.InvalidArgument, "INVALID_ARGUMENT", "kinds"},
		{user("Rename"), &devicetotpv1.RenameRequest{DeviceId: "7"}, codes.InvalidArgument, "INVALID_ID", "device_id"},
		{user("Rename"), &devicetotpv1.RenameRequest{DeviceId: other}, codes.NotFound, "NOT_FOUND", "device_id"},
		{user("Rename"), &devicetotpv1.RenameRequest{DeviceId: id, Name: "a\nb"}, codes.InvalidArgument, "INVALID_ARGUMENT", "name"},
		{user("Revoke"), &devicetotpv1.RevokeRequest{}, codes.InvalidArgument, "INVALID_ARGUMENT", "device_ids"},
		{user("Revoke"), &devicetotpv1.RevokeRequest{DeviceIds: []string{"7"}}, codes.InvalidArgument, "INVALID_ID", "device_ids"},
		{user("Rotate"), &devicetotpv1.RotateRequest{DeviceId: "7", Pin: pin}, codes.InvalidArgument, "INVALID_ID", "device_id"},
		{user("Rotate"), &devicetotpv1.RotateRequest{DeviceId: other, Pin: pin}, codes.NotFound, "NOT_FOUND", "device_id"},
		{user("Rotate"), &devicetotpv1.RotateRequest{DeviceId: id, Pin: pin}, codes.InvalidArgument, "INVALID_ARGUMENT", "device_id"}, // never used
		{user("ReplaceRecoveryCodes"), &devicetotpv1.ReplaceRecoveryCodesRequest{Pin: proto.String("0")}, codes.PermissionDenied, "INVALID_CREDENTIALS", "pin"},
		{host("AddCode"), code(func(r *devicetotpv1.AddCodeRequest) { r.AccountId = "nobody" }), codes.NotFound, "NOT_FOUND", "account_id"},
		{host("AddCode"), code(func(r *devicetotpv1.AddCodeRequest) { r.Kind = "recovery" }), codes.InvalidArgument, "INVALID_ARGUMENT", "kind"},
		{host("AddCode"), code(func(r *devicetotpv1.AddCodeRequest) { r.Code = proto.String("12") }), codes.InvalidArgument, "INVALID_ARGUMENT", "code"},
		{host("AddCode"), code(func(r *devicetotpv1.AddCodeRequest) { r.Ttl = nil }), codes.InvalidArgument, "INVALID_ARGUMENT", "ttl"},
		{host("Import"), imported(func(r *devicetotpv1.ImportRequest) { r.DeviceId = "" }), codes.InvalidArgument, "INVALID_ID", "device_id"},
		{host("Import"), imported(func(r *devicetotpv1.ImportRequest) { r.Name = "\u202e" }), codes.InvalidArgument, "INVALID_ARGUMENT", "name"},
		{host("Import"), imported(func(r *devicetotpv1.ImportRequest) { r.Secret = "0189" }), codes.InvalidArgument, "INVALID_ARGUMENT", "secret"},
		{host("Import"), imported(func(r *devicetotpv1.ImportRequest) { r.Secret = "GE" }), codes.InvalidArgument, "INVALID_ARGUMENT", "secret"},
		{host("Import"), imported(func(r *devicetotpv1.ImportRequest) { r.Algorithm = "MD5" }), codes.InvalidArgument, "INVALID_ARGUMENT", "algorithm"},
		{host("Import"), imported(func(r *devicetotpv1.ImportRequest) { r.Digits = -6 }), codes.InvalidArgument, "INVALID_ARGUMENT", "digits"},
		{host("Import"), imported(func(r *devicetotpv1.ImportRequest) { r.Period = nil }), codes.InvalidArgument, "INVALID_ARGUMENT", "period"},
		{host("Import"), imported(func(r *devicetotpv1.ImportRequest) { r.LastUsedAt = &timestamppb.Timestamp{Seconds: 1 << 40} }), codes.InvalidArgument, "INVALID_ARGUMENT", "last_used_at"},
		{host("Inspect"), &devicetotpv1.InspectRequest{AccountId: "nobody"}, codes.NotFound, "NOT_FOUND", "account_id"},
		{host("Unblock"), &devicetotpv1.UnblockRequest{AccountId: "nobody"}, codes.NotFound, "NOT_FOUND", "account_id"},
		{host("Reseal"), &devicetotpv1.ResealRequest{AccountId: "nobody"}, codes.NotFound, "NOT_FOUND", "account_id"},
	} {
		t.Run(c.method+" "+c.field, func(t *testing.T) {
			s := serve(t)
			s.Account("alice").PIN("8299")
			_, err := s.client.Create(s.as("good"), &devicetotpv1.CreateRequest{DeviceId: id, Pin: pin})
			require.NoError(t, err)
			token := "good"
			if strings.Contains(c.method, "Operator") {
				token = "operator"
			}
			answer := &devicetotpv1.UnblockResponse{} // never filled
			err = s.conn.Invoke(s.as(token), c.method, c.request, answer)
			require.Equal(t, refusal{code: c.status, reason: c.reason, field: c.field}, read(t, err))
		})
	}
}

// A message that has no field for what is at fault names none.
func TestFieldThatTheMessageLacksIsNotNamed(t *testing.T) {
	s := serve(t)
	_, err := s.client.List(s.as("nobody"), &devicetotpv1.ListRequest{})
	require.Equal(t, refusal{code: codes.NotFound, reason: "NOT_FOUND"}, read(t, err))
}

// Each field that an error of the library can name has a name in the messages,
// and each name is that of a field.
func TestEveryFieldHasAName(t *testing.T) {
	const declared = "../../errors/error.go"
	file, err := parser.ParseFile(token.NewFileSet(), declared, nil, 0)
	require.NoError(t, err)
	fields := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Field") {
			return true
		}
		field, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		require.NoError(t, err)
		fields++
		if field != "Count" { // of recovery codes, which the service fixes
			require.Contains(t, protoFields, field)
		}
		return true
	})
	require.Len(t, protoFields, fields-1, "in %s", declared)

	messages := devicetotpv1.File_devicetotp_proto.Messages()
	for field, name := range protoFields {
		has := false
		for i := range messages.Len() {
			m := messages.Get(i)
			has = has || strings.HasSuffix(string(m.Name()), "Request") && m.Fields().ByName(name) != nil
		}
		require.True(t, has, "%s is %s in no request", field, name)
	}
}
