package devicetotp_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// The lines of a settings page.
func ExampleIssuer_Inspect() {
	ctx := context.Background()
	issuer, clock := newExample()
	for _, name := range []string{"phone", "tablet"} {
		device, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice", Name: name})
		if err != nil {
			log.Fatal(err)
		}
		if name == "phone" { // which shows its first code
			phone := verifier.TOTP{Secret: device.Secret, Algorithm: device.Algorithm, Digits: device.Digits, Period: device.Period}
			code, _ := phone.Code(phone.Step(clock.Now()))
			if _, err := issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: "alice", Code: code}); err != nil {
				log.Fatal(err)
			}
		}
	}
	imported := devicetotp.ImportRequest{
		AccountID: "alice", DeviceID: "5308d89b-60c6-4a6d-b3d8-dfb40d47c3fb", Name: "old phone",
		Secret: credential.NewSecret("12345678901234567890"), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
	}
	if _, err := issuer.Import(ctx, imported); err != nil {
		log.Fatal(err)
	}

	view, err := issuer.Inspect(ctx, "alice")
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range view.Devices {
		used := "last used " + d.LastUsedAt.Format(time.TimeOnly)
		switch {
		case d.LastUsedAt.IsZero() && d.Basis == credential.BasisImported:
			used = "not used since it was brought here"
		case d.LastUsedAt.IsZero():
			used = "never used"
		}
		blocked := d.Blocked || d.Skipped // for codes that name the device, or that do not
		fmt.Printf("%s, added %s, %s, blocked: %t\n", d.Name, d.CreatedAt.Format(time.TimeOnly), used, blocked)
	}
	fmt.Println("room for another:", view.Room)
	// Output:
	// phone, added 03:04:05, last used 03:04:05, blocked: false
	// tablet, added 03:04:05, never used, blocked: false
	// old phone, added 03:04:05, not used since it was brought here, blocked: false
	// room for another: true
}
