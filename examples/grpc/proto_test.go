package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"example.com/devicetotp/examples/grpc/devicetotpv1"
)

// The .proto compiles with the protoc that distributions have, and says what the
// generated code does.
func TestProtoCompilesWithProtoc(t *testing.T) {
	protoc, err := exec.LookPath("protoc")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no protoc here (apt-get install protobuf-compiler libprotobuf-dev)")
		}
		t.Skip("no protoc here (apt-get install protobuf-compiler libprotobuf-dev)")
	}
	out := filepath.Join(t.TempDir(), "devicetotp.pb")
	told, err := exec.CommandContext(t.Context(), protoc, "--fatal_warnings", "--proto_path=.", "--descriptor_set_out="+out, "devicetotp.proto").CombinedOutput()
	require.NoError(t, err, "%s", told)
	encoded, err := os.ReadFile(out)
	require.NoError(t, err)
	var set descriptorpb.FileDescriptorSet
	require.NoError(t, proto.Unmarshal(encoded, &set))
	generated := protodesc.ToFileDescriptorProto(devicetotpv1.File_devicetotp_proto)
	require.Len(t, set.GetFile(), 1)
	require.True(t, proto.Equal(set.GetFile()[0], generated), "run go generate")
}
