package main

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/examples/grpc/devicetotpv1"
	"example.com/devicetotp/verifier"
)

// walkThrough serves on a free port while walk calls the service.
func walkThrough(ctx context.Context, s *server, token string, out io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	served := make(chan error, 1)
	go func() { served <- s.serve(ctx, listener, patience) }()

	// A service has TLS here, on both sides: tokens and secrets travel.
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	err = walk(ctx, devicetotpv1.NewDeviceTOTPServiceClient(connection), token, out)
	_ = connection.Close()
	end()
	return errors.Join(err, <-served)
}

// walk calls the service as a client would, and prints the answers.
func walk(ctx context.Context, client devicetotpv1.DeviceTOTPServiceClient, token string, out io.Writer) error {
	// Each call has a deadline, so that no answer is an answer in the end.
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tell := func(what string, err error) { fmt.Fprintf(out, "%-25s %s\n", what+":", told(err)) }

	_, err := client.Create(ctx, &devicetotpv1.CreateRequest{})
	tell("without a token", err)

	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	_, err = client.Create(ctx, &devicetotpv1.CreateRequest{})
	tell("presenting nothing", err)
	_, err = client.Create(ctx, &devicetotpv1.CreateRequest{Pin: proto.String("0000")})
	tell("with a wrong PIN", err)
	_, err = client.Create(ctx, &devicetotpv1.CreateRequest{DeviceId: "7", Pin: proto.String("8299")})
	tell("with an ill-formed id", err)
	device, err := client.Create(ctx, &devicetotpv1.CreateRequest{
		DeviceId: "738e379f-fe30-45ab-819c-ba88804b6368", Pin: proto.String("8299"),
	})
	tell("with the PIN", err)
	if err != nil {
		return err
	}
	code, err := codeOf(device)
	if err != nil {
		return err
	}
	_, err = client.Verify(ctx, &devicetotpv1.VerifyRequest{Code: proto.String(code)})
	tell("the code of the device", err)
	_, err = client.Verify(ctx, &devicetotpv1.VerifyRequest{Code: proto.String(code)})
	tell("the same code again", err)
	_, err = client.Rename(ctx, &devicetotpv1.RenameRequest{DeviceId: device.GetDeviceId(), Name: "phone"})
	tell("a name for it", err)
	_, err = client.Revoke(ctx, &devicetotpv1.RevokeRequest{DeviceIds: []string{device.GetDeviceId()}})
	tell("revoked", err)
	_, err = client.Rename(ctx, &devicetotpv1.RenameRequest{DeviceId: device.GetDeviceId(), Name: "phone"})
	tell("a name for it now", err)
	return nil
}

// told is what a client learns from an error: the status code, the reason, and
// the field at fault or the time to wait where there is one.
func told(err error) string {
	s := status.Convert(err)
	text := s.Code().String()
	for _, detail := range s.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			text += " " + d.GetReason()
		case *errdetails.RetryInfo:
			text += fmt.Sprint(", again in ", d.GetRetryDelay().AsDuration())
		case *errdetails.BadRequest:
			text += ", field " + d.GetFieldViolations()[0].GetField()
		}
	}
	return text
}

// codeOf is what an authenticator app shows for the device just now.
func codeOf(d *devicetotpv1.CreateResponse) (string, error) {
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(d.GetSecret())
	if err != nil {
		return "", err
	}
	app := verifier.TOTP{
		Secret: credential.NewSecret(string(secret)), Algorithm: credential.AlgorithmSHA1,
		Digits: int(d.GetDigits()), Period: d.GetPeriod().AsDuration(),
	}
	code, err := app.Code(app.Step(time.Now()))
	return code.Reveal(), err
}
