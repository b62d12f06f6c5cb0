package main

import (
	"context"
	"encoding/base32"
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/examples/grpc/devicetotpv1"
	"example.com/devicetotp/verifier"
)

// walk calls the service as a client would, and prints the answers.
func walk(ctx context.Context, client devicetotpv1.DeviceTOTPServiceClient) error {
	// Each call has a deadline, so that no answer is an answer in the end.
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()

	_, err := client.Create(ctx, &devicetotpv1.CreateRequest{})
	fmt.Println("without a token:          ", told(err))

	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer good")
	_, err = client.Create(ctx, &devicetotpv1.CreateRequest{})
	fmt.Println("presenting nothing:       ", told(err))
	_, err = client.Create(ctx, &devicetotpv1.CreateRequest{Pin: proto.String("0000")})
	fmt.Println("with a wrong PIN:         ", told(err))
	_, err = client.Create(ctx, &devicetotpv1.CreateRequest{DeviceId: "7", Pin: proto.String("8299")})
	fmt.Println("with an ill-formed id:    ", told(err))
	device, err := client.Create(ctx, &devicetotpv1.CreateRequest{
		DeviceId: "738e379f-fe30-45ab-819c-ba88804b6368", Pin: proto.String("8299"),
	})
	fmt.Println("with the PIN:             ", told(err))
	if err != nil {
		return err
	}

	code, err := codeOf(device)
	if err != nil {
		return err
	}
	_, err = client.Verify(ctx, &devicetotpv1.VerifyRequest{Code: proto.String(code)})
	fmt.Println("the code of the device:   ", told(err))
	_, err = client.Verify(ctx, &devicetotpv1.VerifyRequest{Code: proto.String(code)})
	fmt.Println("the same code again:      ", told(err))
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
