package devicetotp

import (
	"fmt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp/internal/rounds"
)

// newSecret asks the SecretSource for a shared secret.
func (c *call) newSecret() (secret credential.Secret, err error) {
	visit := c.Visit()
	defer visit.End("SecretSource", &err)
	size := c.issuer.policy.secretSize()
	if secret, err = c.issuer.secrets.NewSecret(visit, size); err != nil {
		return credential.Secret{}, err
	}
	if n := len(secret.Reveal()); n != size {
		return credential.Secret{}, fmt.Errorf("%w: %d bytes, not %d", rounds.ErrNonsense, n, size)
	}
	return secret, nil
}

// open returns the shared secret of the device.
func (c *call) open(d *credential.Device) (credential.Secret, error) {
	secret, _, err := c.issuer.keys.Open(credential.DeviceScope(c.accountID, d), d.Sealed)
	if err != nil {
		return credential.Secret{}, c.Internal(fmt.Errorf("device %s: %w", d.ID, err))
	}
	return secret, nil
}

// reseal seals the secret of a device that is being used with the primary key.
// If that fails, the old seal stays, which still opens.
func (c *call) reseal(d *credential.Device) {
	_, _ = c.sealAgain(credential.DeviceScope(c.accountID, d), &d.Sealed)
}

func proofScope(accountID, deviceID string) credential.Scope {
	return credential.Scope{Purpose: credential.PurposeProof, AccountID: accountID, Subject: deviceID}
}
