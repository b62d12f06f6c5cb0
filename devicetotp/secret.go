package devicetotp

import (
	"fmt"
	"time"

	"example.com/devicetotp/credential"
)

// sealOrOpen returns the secret of the device: a new one, sealed into it, or
// the one it has.
func (j *createCall) sealOrOpen(device *credential.Device, d *decision) (credential.Secret, error) {
	keys := j.issuer.keys
	if d.replayed {
		secret, _, err := keys.Open(deviceScope(j.accountID, device.ID), device.Sealed)
		if err != nil {
			return credential.Secret{}, j.internal(fmt.Errorf("device %s: %w", device.ID, err))
		}
		return secret, nil
	}
	if err := j.makeSecret(); err != nil {
		return credential.Secret{}, err
	}
	var err error
	if device.Sealed, err = keys.Seal(deviceScope(j.accountID, device.ID), j.secret); err != nil {
		return credential.Secret{}, j.internal(err)
	}
	if device.Basis == credential.BasisOTP {
		if device.ProofDigest, err = keys.Digest(proofScope(j.accountID, device.ID), j.request.OTP); err != nil {
			return credential.Secret{}, j.internal(err)
		}
	}
	return j.secret, nil
}

func deviceScope(accountID, deviceID string) credential.Scope {
	return credential.Scope{Purpose: credential.PurposeDeviceSecret, AccountID: accountID, Subject: deviceID}
}

func proofScope(accountID, deviceID string) credential.Scope {
	return credential.Scope{Purpose: credential.PurposeProof, AccountID: accountID, Subject: deviceID}
}

// reseal seals the secret of a device that is being used with the primary key.
// If that fails the old seal stays, which still opens.
func (c *call) reseal(device *credential.Device) {
	scope := deviceScope(c.accountID, device.ID)
	secret, outdated, err := c.issuer.keys.Open(scope, device.Sealed)
	if err != nil || !outdated {
		return
	}
	if sealed, err := c.issuer.keys.Seal(scope, secret); err == nil {
		device.Sealed = sealed
	}
}

// makeSecret asks the secret source, once a request.
func (j *createCall) makeSecret() error {
	if j.secret.Present() {
		return nil
	}
	size := j.issuer.policy.secretSize()
	secret, err := j.callSource(size)
	if err != nil {
		return j.collaborator("SecretSource", err)
	}
	if n := len(secret.Reveal()); n != size {
		return j.internal(fmt.Errorf("%w: SecretSource gave %d bytes, not %d", errNonsense, n, size))
	}
	j.secret = secret
	return nil
}

func (j *createCall) callSource(size int) (secret credential.Secret, err error) {
	started := time.Now()
	ctx := j.bounded(started)
	defer ctx.End()
	defer j.looks(started)
	defer contain("SecretSource", &err)
	return j.issuer.secrets.NewSecret(ctx, size)
}
