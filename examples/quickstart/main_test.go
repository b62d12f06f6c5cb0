package main

// What the program prints, line by line.
func Example() {
	main()
	// Output:
	// Jan 5 09:00  the user registers, with a password
	// Jan 5 09:01  the phone presents nothing, and gets a device on basis "grace"
	// Jan 5 09:01    id 738e379f-fe30-45ab-819c-ba88804b6368, secret OF2WSY3LON2GC4TUFVZWKY3SMV2C2MBR
	// Jan 5 09:01    SHA1, 6 digits, every 30s
	// Jan 5 09:06  six minutes after registration a tablet presents nothing: 403 credentials-required
	// Jan 5 09:06  the PIN 1234: verifier: a PIN must not be a numerical series
	// Jan 5 09:06  the PIN 8299 is set, after a proof on basis "password"
	// Jan 5 09:06  a tablet presents a wrong OTP, a wrong password and the PIN: a device on basis "pin"
	// Jan 5 09:06  the user names it "kitchen tablet"
	// Jan 5 09:06  the phone shows 186118: accepted
	// Jan 5 09:06  the same code again: 403 invalid-credentials
	// Jan 5 09:07  the phone presents a code and asks for recovery codes: present your password or PIN
	// Jan 5 09:07  it presents the PIN and gets a new secret, to be used by Jan 6 09:07
	// Jan 5 09:08  the first code of the new secret: accepted
	// Jan 5 09:08  a code of the old secret: 403 invalid-credentials
	// Jan 5 09:09  a code of the phone is enough now: the user is shown 10 recovery codes, and prints them
	// Jan 6 09:09  the phone is lost, and who found it adds a device on basis "otp"
	// Jan 6 10:09  a new phone presents a recovery code, and gets a device on basis "otp"
	// Jan 6 10:09  the same recovery code for yet another device: 403 invalid-credentials
	// Jan 6 10:09  the user presents the PIN and removes the phone, and with it what was made on its codes:
	// Jan 6 10:09    [738e379f-fe30-45ab-819c-ba88804b6368], then [c2b7a1de-93f4-4c55-8a6b-7e21d0c4f933]
	// Jan 6 10:09  a code of the lost phone: 403 invalid-credentials
	// Jan 6 10:09  a code of the device that was made on it: 403 invalid-credentials
	// Jan 6 10:09  a code of the new phone: accepted
	// Jan 6 10:09  the settings page:
	// Jan 6 10:09    kitchen tablet, on basis "pin", never used
	// Jan 6 10:09    new phone, on basis "otp", last used Jan 6 10:09
	// Jan 6 10:09    9 recovery codes left; room for another device: true
	// Jan 7 10:09  a new key seals from now on; the account needs [2026]
	// Jan 7 10:09  sealed again: 2 devices, 1 set of recovery codes; needed: [2026 2027], the old one by the PIN hash
	// Jan 7 10:09  sealed again: the PIN hash; needed: [2027]
	// Jan 7 10:09  without the old key, a code of the new phone: accepted
	// Jan 7 10:09  a code of the tablet: accepted
	// Jan 7 10:09  the PIN: accepted
	// Jan 7 10:09  another recovery code: accepted
	// Jan 7 10:09  values that do not open: 0
}
