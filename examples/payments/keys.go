package payments

import (
	"context"
	"errors"
	"fmt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// CheckKeys returns an error if the keyring does not open what an account with a
// device has. Nothing else notices a wrong keyring when the service starts, even if
// its keys have the right ids. A value that was edited in the database does not
// concern the keyring, and is no reason not to start.
func CheckKeys(ctx context.Context, issuer *devicetotp.Issuer, accountID string) error {
	view, err := issuer.Inspect(ctx, accountID)
	if err != nil {
		return fmt.Errorf("check keys: %w", err)
	}
	if len(view.Devices) == 0 {
		return fmt.Errorf("check keys: account %q has no device, so it shows nothing", accountID)
	}
	for _, v := range view.Unreadable {
		if errors.Is(v.Err, credential.ErrMissingKey) {
			return fmt.Errorf("check keys: account %q has a value of key %q: %w", accountID, v.KeyID, v.Err)
		}
	}
	return nil
}
